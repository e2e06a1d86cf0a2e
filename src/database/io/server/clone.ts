/**
 * Making a replica from a running server, primary or not: a slot there that keeps the log, a copy of its data, the signal file.
 *
 * The copy grows beside the place where it belongs and is renamed when it is whole, so that whatever dies halfway leaves
 * rubbish, never a server that looks like one. The next clone removes it.
 */
import { readdir, rename, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import type { Progress, ServerSource } from "../../orders.ts";
import { slotName } from "../../server-settings.ts";
import { copyRunning } from "./base-backup.ts";
import { hasProgram } from "./binaries.ts";
import type { ControlClient } from "./control-client.ts";
import { syncName } from "./copy-tree.ts";
import { markReplica } from "./data-directory.ts";
import type { PostgresServer } from "./postgres-server.ts";
import { ServerError } from "./problem.ts";
import { runProgram } from "./program.ts";
import { checkSlot, ensureSlot } from "./slots.ts";

/** How a clone is made. */
export interface CloneOptions {
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: Progress) => void;
}

/** What it came to. */
export interface CloneResult {
  readonly copiedBytes: number;
  readonly files: number;
}

/**
 * Replaces what `server` has by a copy of `source`; leaves it ready to be started as its replica. `server` must not run
 * (`still-running`). Throws `clone-aborted`, the system's errors, or those of connections; its old data is gone then.
 */
export async function clone(
  server: PostgresServer,
  source: ServerSource,
  options: CloneOptions = {},
): Promise<CloneResult> {
  const { owner } = server.options;
  if (server.adopt())
    throw new ServerError("still-running", `${server.name} runs: stop it before it is replaced by a clone`);
  await server.prepareFolder();
  const draft = `${server.data}.clone`;
  await rm(draft, { recursive: true, force: true });
  const { host, port } = source;
  const client = await server.connectTo(source);
  try {
    await ensureSlot(client, slotName(server.name));
    await rm(server.data, { recursive: true, force: true });
    const result =
      source.data === undefined
        ? await copyOverNetwork(server, source, draft, options)
        : await copyFiles(server, source.data, draft, client, options);
    await checkSlot(client, slotName(server.name));
    await markReplica(draft, owner);
    await rename(draft, server.data);
    await syncName(server.data);
    await server.writeSettings();
    await server.follow({ host, port, slot: slotName(server.name) });
    return result;
  } catch (problem) {
    await rm(draft, { recursive: true, force: true });
    throw problem;
  } finally {
    client.close();
  }
}

async function copyFiles(
  server: PostgresServer,
  from: string,
  to: string,
  client: ControlClient,
  options: CloneOptions,
): Promise<CloneResult> {
  const { owner, settings } = server.options;
  const copy = { ...options, from, to, owner, checksums: false, durable: settings.durable };
  const { files } = await copyRunning(client, `tenfold clone ${server.name}`, copy, undefined);
  return { copiedBytes: files.reduce((sum, file) => sum + file.bytes, 0), files: files.length };
}

/** From another machine: by pg_basebackup, which npm's package lacks. The log comes by the slot afterwards. */
async function copyOverNetwork(
  server: PostgresServer,
  { host, port }: ServerSource,
  to: string,
  { signal }: CloneOptions,
): Promise<CloneResult> {
  const { binaries, owner, settings } = server.options;
  if (!hasProgram(binaries, "pg_basebackup"))
    throw new ServerError(
      "basebackup-unavailable",
      `${binaries.bin} has no pg_basebackup, and the data of ${host}:${port} cannot be read here: use a system's Postgres`,
    );
  const from = server.connectionTo({ host, port, slot: undefined });
  const flags = ["--pgdata", to, "--dbname", from, "--wal-method=none", "--checkpoint=fast", "--no-manifest"];
  const all = settings.durable ? flags : [...flags, "--no-sync"];
  const { code, output } = await runProgram(binaries, "pg_basebackup", all, owner, { signal });
  if (code !== 0)
    throw new ServerError(
      "clone-aborted",
      `pg_basebackup failed: ${output.split("\n").slice(-3).join("; ")}`,
    );
  const entries = await readdir(to, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile());
  const sizes = await Promise.all(files.map((file) => stat(join(file.parentPath, file.name))));
  return { copiedBytes: sizes.reduce((sum, { size }) => sum + size, 0), files: files.length };
}
