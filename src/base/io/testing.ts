/** Builders for the tests of this part's files. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

const folders: string[] = [];

/** A new empty folder. */
export async function testFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "tenfold-base-"));
  folders.push(folder);
  return folder;
}

/** Removes every folder that `testFolder` made; for `afterAll`. */
export async function removeTestFolders(): Promise<void> {
  await Promise.all(folders.splice(0).map((folder) => rm(folder, { recursive: true, force: true })));
}
