/**
 * Bringing a stopped server back as a replica: as it is when all it has is in the primary's history, else rewound, else as a
 * new copy. A server that has more than the history must never just follow: Postgres lets it try for ever, and answer with
 * rows that the cluster does not have.
 */
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { parseLsn } from "../../lsn.ts";
import type { ServerSource } from "../../orders.ts";
import { connectionInfo, REPLICATION_ROLE, slotName } from "../../server-settings.ts";
import { parseServerView, SERVER_VIEW_QUERY } from "../../server-view.ts";
import { descent, parseHistory } from "../../timeline.ts";
import { historyName } from "../../wal-file.ts";
import { type CloneOptions, clone } from "./clone.ts";
import { type ControlClient, connectControl } from "./control-client.ts";
import { canRewind, hasData, readControlFile, SUPERUSER } from "./data-directory.ts";
import type { PostgresServer } from "./postgres-server.ts";
import { messageOf, ServerError } from "./problem.ts";
import { runProgram } from "./program.ts";
import { endOfLog } from "./wal-directory.ts";

/** How a server came back, and why not in a quicker way. */
export interface Rejoined {
  readonly way: "followed" | "rewound" | "cloned";
  readonly reason: string;
}

/** Brings `server`, which must not run, back as a replica of `source`, which must be a primary; starts it. */
export async function rejoin(
  server: PostgresServer,
  source: ServerSource,
  options: CloneOptions = {},
): Promise<Rejoined> {
  const found = await howToRejoin(server, source);
  const way = await bring(server, source, found, options);
  await server.start();
  return way;
}

async function bring(
  server: PostgresServer,
  source: ServerSource,
  found: { readonly follows: boolean; readonly reason: string; readonly canBeRewound: boolean },
  options: CloneOptions,
): Promise<Rejoined> {
  const upstream = { host: source.host, port: source.port, slot: slotName(server.name) };
  if (found.follows) {
    await withSlot(server, source);
    await server.follow(upstream);
    return { way: "followed", reason: found.reason };
  }
  let { reason } = found;
  if (found.canBeRewound && canRewind(server.options.binaries)) {
    try {
      await rewind(server, source);
      return { way: "rewound", reason };
    } catch (problem) {
      reason = `${reason}; ${messageOf(problem)}`; // half rewound is no server: it is replaced
    }
  }
  await clone(server, source, options);
  return { way: "cloned", reason };
}

async function howToRejoin(
  server: PostgresServer,
  source: ServerSource,
): Promise<{ readonly follows: boolean; readonly reason: string; readonly canBeRewound: boolean }> {
  if (server.adopt())
    throw new ServerError("still-running", `${server.name} runs: stop it before it rejoins`);
  if (!(await hasData(server.data))) return { follows: false, canBeRewound: false, reason: "it has no data" };
  const own = await readControlFile(server.data);
  const client = await connectTo(server, source);
  try {
    const view = parseServerView((await client.query(SERVER_VIEW_QUERY))[0]?.["view"] ?? "");
    if (own.systemIdentifier !== view.systemIdentifier)
      return { follows: false, canBeRewound: false, reason: "its data is of another cluster" };
    const end = await endOfLog(server.data);
    const primary = {
      timeline: view.timeline,
      lsn: parseLsn(view.writtenLsn ?? view.flushedLsn ?? "") ?? 0n,
    };
    const result = descent(end, primary, await historyAt(client, view.timeline));
    return result.kind === "follows"
      ? { follows: true, canBeRewound: true, reason: "all it has is in the primary's history" }
      : { follows: false, canBeRewound: true, reason: result.reason };
  } finally {
    await client.close();
  }
}

async function historyAt(client: ControlClient, timeline: number): Promise<ReturnType<typeof parseHistory>> {
  if (timeline === 1) return [];
  const [row] = await client.query("select pg_read_file('pg_wal/' || $1) as text", [historyName(timeline)]);
  return parseHistory(row?.["text"] ?? "");
}

function connectTo(server: PostgresServer, { host, port }: ServerSource): Promise<ControlClient> {
  return connectControl({ host, port, user: SUPERUSER, password: server.options.passwords.superuser });
}

async function withSlot(server: PostgresServer, source: ServerSource): Promise<void> {
  const slot = slotName(server.name);
  const client = await connectTo(server, source);
  try {
    const [row] = await client.query("select 1 as there from pg_replication_slots where slot_name = $1", [
      slot,
    ]);
    if (row === undefined) await client.query("select pg_create_physical_replication_slot($1, true)", [slot]);
  } finally {
    await client.close();
  }
}

/**
 * Takes back what `server` has beyond the fork, by pg_rewind. Throws `rewind-unavailable` where the program is missing, and
 * `rewind-failed`; what is left then is no server any more and must be cloned.
 */
export async function rewind(server: PostgresServer, source: ServerSource): Promise<void> {
  const { binaries, owner, settings } = server.options;
  if (!canRewind(binaries))
    throw new ServerError(
      "rewind-unavailable",
      `${binaries.bin} has no pg_rewind: use "reclone", or a system's Postgres`,
    );
  const upstream = { host: source.host, port: source.port, slot: slotName(server.name) };
  await withSlot(server, source);
  await checkpointed(server, source);
  await server.follow(upstream);
  // pg_rewind lets the server recover first, alone, which a replica refuses; it stays one, for its role says so.
  await rm(join(server.data, "standby.signal"), { force: true });
  const from = `${connectionInfo(server.name, upstream, server.passFile)} dbname=postgres`;
  const flags = [
    "--target-pgdata",
    server.data,
    "--source-server",
    from,
    ...(settings.durable ? [] : ["--no-sync"]),
  ];
  const { code, output } = await runProgram(binaries, "pg_rewind", flags, owner);
  if (code !== 0)
    throw new ServerError(
      "rewind-failed",
      `pg_rewind as ${REPLICATION_ROLE} failed: ${output.split("\n").slice(-3).join("; ")}`,
    );
  await server.follow(upstream);
}

/** pg_rewind looks for the new timeline in the control file, where it stands after the first checkpoint only. */
async function checkpointed(server: PostgresServer, source: ServerSource): Promise<void> {
  const client = await connectTo(server, source);
  try {
    await client.query("checkpoint");
  } finally {
    await client.close();
  }
}
