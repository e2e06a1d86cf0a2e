/**
 * Making a replica from a running server, primary or not: a slot there that keeps the log, a copy of its data, the signal file.
 *
 * The copy grows beside the place where it belongs and is renamed when it is whole, so that whatever dies halfway leaves
 * rubbish, never a server that looks like one. The next clone removes it.
 */
import { rename, rm } from "node:fs/promises";
import type { Progress, ServerSource } from "../../orders.ts";
import { slotName } from "../../server-settings.ts";
import { copyRunning } from "./base-backup.ts";
import { connectControl } from "./control-client.ts";
import { syncName } from "./copy-tree.ts";
import { markReplica, SUPERUSER } from "./data-directory.ts";
import type { PostgresServer } from "./postgres-server.ts";
import { ServerError } from "./problem.ts";
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
  const { owner, settings, passwords } = server.options;
  if (server.adopt())
    throw new ServerError("still-running", `${server.name} runs: stop it before it is replaced by a clone`);
  await server.prepareFolder();
  const draft = `${server.data}.clone`;
  await rm(draft, { recursive: true, force: true });
  const { host, port } = source;
  const client = await connectControl({ host, port, user: SUPERUSER, password: passwords.superuser });
  try {
    await ensureSlot(client, slotName(server.name));
    await rm(server.data, { recursive: true, force: true });
    const copy = {
      ...options,
      from: source.data,
      to: draft,
      owner,
      checksums: false,
      durable: settings.durable,
    };
    const { files } = await copyRunning(client, `tenfold clone ${server.name}`, copy, undefined);
    await checkSlot(client, slotName(server.name));
    await markReplica(draft, owner);
    await rename(draft, server.data);
    await syncName(server.data);
    await server.writeSettings();
    await server.follow({ host, port, slot: slotName(server.name) });
    return { copiedBytes: files.reduce((sum, file) => sum + file.bytes, 0), files: files.length };
  } catch (problem) {
    await rm(draft, { recursive: true, force: true });
    throw problem;
  } finally {
    client.close();
  }
}
