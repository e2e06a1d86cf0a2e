/** Settings that follow from the machine, the installation and what the user wrote by hand. */
import { readFile } from "node:fs/promises";
import { platform, release } from "node:os";
import { join } from "node:path";
import { type ServerSettings, STATEMENT_LIBRARY, writtenValue } from "../../server-settings.ts";
import { type Binaries, hasLibrary } from "./binaries.ts";

/** What is not asked of whoever makes a server. */
export type GivenSettings = Pick<ServerSettings, "firstSync" | "preload">;

/** …and what is taken as it is written, whatever was asked for. */
type WrittenSettings = Partial<Pick<ServerSettings, "walLevel">>;

/** What they are for a data directory and the Postgres that runs it next. */
export async function givenSettings(
  binaries: Binaries,
  data: string,
): Promise<GivenSettings & WrittenSettings> {
  const text = await readFile(join(data, "postgresql.conf"), "utf8").catch(() => "");
  const wanted = hasLibrary(binaries, STATEMENT_LIBRARY) ? [STATEMENT_LIBRARY] : [];
  return {
    firstSync: firstSync(),
    // Slots of change streams do not survive less: who wrote it down may have some.
    ...(writtenValue(text, "wal_level") === "logical" ? { walLevel: "logical" } : {}),
    preload: { wanted, written: writtenValue(text, "shared_preload_libraries") },
  };
}

/** From Linux 5.8 on, syncfs() says when a write failed; a server that recovered from less than it thinks is worse than a slow one. */
function firstSync(): ServerSettings["firstSync"] {
  const [major = 0, minor = 0] = release().split(".").map(Number);
  return platform() === "linux" && (major > 5 || (major === 5 && minor >= 8)) ? "syncfs" : "fsync";
}
