/**
 * Disks of servers that become slow or full. A slow one: a library in the server delays each flush while a file is there. A full one: the server's
 * folder is a file system of its own, which has room for nothing more.
 */
import { spawnSync } from "node:child_process";
import { chmodSync, mkdirSync, readdirSync, rmSync, statfsSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const SOURCE = join(import.meta.dirname, "slow-fsync.c");

/** A server of a bench, its log, and a copy while it is cloned. */
const ROOM_MIB = 1_000;

/** What a full disk has left: less than a page of the log. */
const LEFT_KIB = 4;

export class ServerDisks {
  readonly #folder: string;
  readonly #postgres: string;
  /** Where each server's disk is mounted. */
  readonly #disks: ReadonlyMap<string, string>;
  readonly #library: string | undefined;

  /** `folder`: for what is made; `postgres`: the installation that servers run; `disks`: a folder for each. */
  constructor(folder: string, postgres: string, disks: ReadonlyMap<string, string>) {
    this.#folder = folder;
    this.#postgres = postgres;
    this.#disks = disks;
    this.#library = compile(join(folder, "slow-fsync.so"));
    for (const [server, at] of disks) {
      mkdirSync(at);
      mount(["-t", "tmpfs", "-o", `size=${ROOM_MIB}m,mode=755`, "tmpfs", at]);
      if (this.#library !== undefined) this.#wrap(server, this.#library);
    }
  }

  /** Whether they can be slow: there is a compiler. */
  get canBeSlow(): boolean {
    return this.#library !== undefined;
  }

  /** The installation that `server` runs. */
  postgresOf(server: string): string {
    return this.canBeSlow ? this.#wrapped(server) : this.#postgres;
  }

  slow(server: string): void {
    writeFileSync(this.#mark(server), "");
  }
  quick(server: string): void {
    rmSync(this.#mark(server), { force: true });
  }

  fill(server: string): void {
    const { blocks, bfree, bsize } = statfsSync(this.#at(server));
    const usedKib = Math.ceil(((blocks - bfree) * bsize) / 1024);
    this.#resize(server, `${usedKib + LEFT_KIB}k`);
  }
  free(server: string): void {
    this.#resize(server, `${ROOM_MIB}m`);
  }

  /** What a disk has room for. */
  freeMib(server: string): number {
    const { bfree, bsize } = statfsSync(this.#at(server));
    return Math.floor((bfree * bsize) / 1024 ** 2);
  }

  /** Mends all. */
  heal(): void {
    for (const server of this.#disks.keys()) {
      this.quick(server);
      this.free(server);
    }
  }

  /** Unmounts them; servers must have ended. */
  remove(): void {
    for (const at of this.#disks.values()) spawnSync("umount", ["-l", at]);
  }

  #at(server: string): string {
    return this.#disks.get(server) ?? "";
  }
  #mark(server: string): string {
    return join(this.#folder, `slow-${server}`);
  }
  #wrapped(server: string): string {
    return join(this.#folder, `postgres-${server}`);
  }

  #resize(server: string, size: string): void {
    mount(["-o", `remount,size=${size}`, this.#at(server)]);
  }

  /** An installation whose server is started with the library; the environment is no way, for agents give servers one of their own. */
  #wrap(server: string, library: string): void {
    const bin = join(this.#wrapped(server), "bin");
    mkdirSync(bin, { recursive: true });
    for (const name of readdirSync(join(this.#postgres, "bin")))
      if (name !== "postgres") symlinkSync(join(this.#postgres, "bin", name), join(bin, name));
    symlinkSync(join(this.#postgres, "lib"), join(this.#wrapped(server), "lib"));
    const script = `#!/bin/sh\nexport LD_PRELOAD=${library} SLOW_FSYNC_FILE=${this.#mark(server)}\nexec ${this.#postgres}/bin/postgres "$@"\n`;
    writeFileSync(join(bin, "postgres"), script);
    chmodSync(join(bin, "postgres"), 0o755);
  }
}

/** The library, or undefined when nothing here makes one. */
function compile(path: string): string | undefined {
  if (Bun.which("gcc") === null) return undefined;
  const { status, stderr } = spawnSync("gcc", ["-shared", "-fPIC", "-O1", "-o", path, SOURCE, "-ldl"], {
    encoding: "utf8",
  });
  if (status !== 0) throw new Error(`gcc ${SOURCE}: ${stderr}`);
  return path;
}

function mount(args: readonly string[]): void {
  const { status, stderr } = spawnSync("mount", args, { encoding: "utf8" });
  if (status !== 0) throw new Error(`mount ${args.join(" ")}: ${stderr}`);
}
