/**
 * A lease store in a folder: for a cluster whose servers are all on one machine. When the machine is gone so are the servers; it
 * cannot decide anything between two machines, and a network file system does not make it able to.
 *
 * Each revision is a file of its own, "record.17", that is linked into place: the link fails when the file is there, so one of
 * two writers wins, without locks that a dead process would leave behind. The file and the folder are on the disk before a
 * write is answered, so that a power cut does not bring an old term back.
 */
import { link, mkdir, open, readdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import type { LeaseStore, StoreReply } from "../../failover/lease-store.ts";
import { type ClusterRecord, encodeRecord, parseRecord } from "../../failover/record.ts";
import type { Stored } from "../../failover/watch.ts";

/** Older revisions stay for a while: a reader that has listed the folder still finds its file. */
const KEPT = 16;

const NAME = /^record\.(\d+)$/;

export class FileStore implements LeaseStore {
  readonly #folder: string;
  /** Of this process and store, for names of drafts. */
  readonly #id: string;
  #drafts = 0;

  /** `id` is unique among those that use the folder at one time: a pid and a number will do. */
  constructor(folder: string, id: string) {
    this.#folder = folder;
    this.#id = id;
  }

  async read(): Promise<StoreReply> {
    return answered(async () => {
      const stored = await this.#current();
      return stored === undefined ? EMPTY : { kind: "stored", stored };
    });
  }

  async write(record: ClusterRecord, revision: number): Promise<StoreReply> {
    return answered(async () => {
      await mkdir(this.#folder, { recursive: true, mode: 0o700 });
      const current = await this.#current();
      if ((current?.revision ?? 0) !== revision)
        return current === undefined ? EMPTY : { kind: "conflict", stored: current };
      if (await this.#place(record, revision + 1))
        return { kind: "stored", stored: { record, revision: revision + 1 } };
      const winner = await this.#current();
      return winner === undefined ? EMPTY : { kind: "conflict", stored: winner };
    });
  }

  /** Makes the file of `revision`; false when somebody else did. */
  async #place(record: ClusterRecord, revision: number): Promise<boolean> {
    const draft = join(this.#folder, `draft.${this.#id}.${this.#drafts++}`);
    try {
      await writeSynced(draft, encodeRecord(record));
      await link(draft, this.#path(revision));
    } catch (problem) {
      if (problem instanceof Error && "code" in problem && problem.code === "EEXIST") return false;
      throw problem;
    } finally {
      await rm(draft, { force: true });
    }
    // A writer that slept may have filled the place of a revision that was tidied away; much later ones are there then.
    const revisions = await this.#revisions();
    if (Math.max(...revisions) >= revision + KEPT) {
      await rm(this.#path(revision), { force: true });
      return false;
    }
    await syncFolder(this.#folder);
    for (const old of revisions) if (old <= revision - KEPT) await rm(this.#path(old), { force: true });
    return true;
  }

  async #current(): Promise<Stored | undefined> {
    const revisions = await this.#revisions();
    if (revisions.length === 0) return undefined;
    const revision = Math.max(...revisions);
    return { record: parseRecord(await readFile(this.#path(revision), "utf8")), revision };
  }

  async #revisions(): Promise<number[]> {
    const names = await readdir(this.#folder).catch((problem: unknown) => {
      if (problem instanceof Error && "code" in problem && problem.code === "ENOENT") return [];
      throw problem;
    });
    return names.flatMap((name) => (NAME.test(name) ? [Number(NAME.exec(name)?.[1])] : []));
  }

  #path(revision: number): string {
    return join(this.#folder, `record.${revision}`);
  }
}

function messageOf(problem: unknown): string {
  return problem instanceof Error ? problem.message : String(problem);
}

const EMPTY: StoreReply = { kind: "failed", reason: "empty", message: "there is no record in the folder" };

async function answered(ask: () => Promise<StoreReply>): Promise<StoreReply> {
  try {
    return await ask();
  } catch (problem) {
    const isFile = problem instanceof Error && "code" in problem;
    return { kind: "failed", reason: isFile ? "unreachable" : "corrupt", message: messageOf(problem) };
  }
}

async function writeSynced(path: string, text: string): Promise<void> {
  const file = await open(path, "w", 0o600);
  try {
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
}

async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, "r");
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
