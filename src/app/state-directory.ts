/**
 * The state directory: everything that one tenfold remembers, by name.
 *
 *   lock  journal  purges  admin.token  controller.json
 *   gateway/snapshot.json  gateway/scoreboard  gateway/cache  gateway/cache-disk/  gateway/cache-disk-in-use
 *   logs/SERVICE/TASK.log  logs/gateway/worker-N.log  logs/access.log  logs/controller.log
 */
import { createHash, randomBytes } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, realpathSync, rmSync } from "node:fs";
import { join } from "node:path";
import { writeFileAtomic } from "../base/io/index.ts";
import type { ControllerFile } from "./api.ts";

/** 256 bits: nobody guesses it. */
const TOKEN_BYTES = 32;

/** Only the user who runs tenfold may read the token, the journal and the logs. */
const PRIVATE_FOLDER = 0o700;
const PRIVATE_FILE = 0o600;

export class StateDirectory {
  readonly path: string;

  /** Makes the folders that are missing. */
  constructor(path: string) {
    for (const folder of [path, join(path, "gateway"), join(path, "logs", "gateway")]) {
      mkdirSync(folder, { recursive: true, mode: PRIVATE_FOLDER });
    }
    this.path = realpathSync(path);
  }

  get journal(): string {
    return join(this.path, "journal");
  }
  /** The purges for and from the other installations of the site. */
  get purges(): string {
    return join(this.path, "purges");
  }
  get snapshot(): string {
    return join(this.path, "gateway", "snapshot.json");
  }
  get scoreboard(): string {
    return join(this.path, "gateway", "scoreboard");
  }
  get cache(): string {
    return join(this.path, "gateway", "cache");
  }
  /** The folder of the cache's disk tier, unless the config names another. */
  get cacheDisk(): string {
    return join(this.path, "gateway", "cache-disk");
  }
  /** A link to the folder of the disk tier that lies below the cache; there is none when there is no tier. */
  get cacheDiskLink(): string {
    return join(this.path, "gateway", "cache-disk-in-use");
  }
  get #controllerFile(): string {
    return join(this.path, "controller.json");
  }
  get logs(): string {
    return join(this.path, "logs");
  }
  /** Short name that differs from directory to directory; for control groups. */
  get instance(): string {
    return createHash("sha256").update(this.path).digest("hex").slice(0, 12);
  }

  /** The admin API's token; drawn at the first start and kept, so that scripts go on working. */
  async adminToken(): Promise<string> {
    const path = join(this.path, "admin.token");
    if (existsSync(path)) return readFileSync(path, "utf8").trim();
    const token = randomBytes(TOKEN_BYTES).toString("base64url");
    await writeFileAtomic(path, `${token}\n`, PRIVATE_FILE);
    return token;
  }

  /** Everything was stopped in good order: nobody need look for a controller here. */
  forget(): void {
    rmSync(this.#controllerFile, { force: true });
  }

  /** Tells commands where the controller is. */
  async announce(file: ControllerFile): Promise<void> {
    await writeFileAtomic(this.#controllerFile, `${JSON.stringify(file, undefined, 2)}\n`, PRIVATE_FILE);
  }
}
