/**
 * Bringing a stopped server back as a replica: as it is when all it has is in the primary's history, else rewound, else as a
 * new copy. A server that has more than the history must never just follow: Postgres lets it try for ever, and answer with
 * rows that the cluster does not have.
 */
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { parseLsn } from "../../../pgwire/index.ts";
import type { ServerSource } from "../../orders.ts";
import { connectionInfo, REPLICATION_ROLE, slotName, type Upstream } from "../../server-settings.ts";
import { parseServerView, SERVER_VIEW_QUERY } from "../../server-view.ts";
import { descent, parseHistory, type TimelinePosition } from "../../timeline.ts";
import { historyName, segmentName, segmentOf } from "../../wal-file.ts";
import { type CloneOptions, clone } from "./clone.ts";
import { type ControlClient, connectControl } from "./control-client.ts";
import { canRewind, hasData, readControlFile, SUPERUSER } from "./data-directory.ts";
import type { PostgresServer } from "./postgres-server.ts";
import { messageOf, ServerError } from "./problem.ts";
import { runProgram } from "./program.ts";
import { ensureSlot } from "./slots.ts";
import { endOfLog } from "./wal-directory.ts";

/** How a server came back, and why not in a quicker way. */
export interface Rejoined {
  readonly way: "followed" | "rewound" | "cloned";
  readonly reason: string;
}

/** How it can come back. */
interface Judgement {
  readonly way: "follow" | "rewind" | "clone";
  readonly reason: string;
}

/** Brings `server`, which must not run, back as a replica of `source`, which must be a primary; starts it. */
export async function rejoin(
  server: PostgresServer,
  source: ServerSource,
  options: CloneOptions = {},
): Promise<Rejoined> {
  const rejoined = await bring(server, source, options);
  options.signal?.throwIfAborted();
  await server.start();
  return rejoined;
}

async function bring(server: PostgresServer, source: ServerSource, options: CloneOptions): Promise<Rejoined> {
  const judgement = await judge(server, source);
  let { reason } = judgement;
  if (judgement.way === "follow") {
    await withClient(server, source, (client) => ensureSlot(client, slotName(server.name)));
    await server.follow(upstreamIn(server, source));
    return { way: "followed", reason };
  }
  if (judgement.way === "rewind" && canRewind(server.options.binaries)) {
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

async function judge(server: PostgresServer, source: ServerSource): Promise<Judgement> {
  if (server.adopt())
    throw new ServerError("still-running", `${server.name} runs: stop it before it rejoins`);
  if (!(await hasData(server.data))) return { way: "clone", reason: "it has no data" };
  const own = await readControlFile(server.data);
  return withClient(server, source, async (client) => {
    const view = parseServerView((await client.query(SERVER_VIEW_QUERY))[0]?.["view"] ?? "");
    if (own.systemIdentifier !== view.systemIdentifier)
      return { way: "clone", reason: "its data is of another cluster" };
    const end = await endOfLog(server.data);
    const lsn = parseLsn(view.writtenLsn ?? view.flushedLsn ?? "") ?? 0n;
    const history = await historyAt(client, view.timeline);
    const result = descent(end, { timeline: view.timeline, lsn }, history);
    if (result.kind === "diverged") return { way: "rewind", reason: result.reason };
    if (await isLogGone(client, end))
      return { way: "clone", reason: "the log it needs is gone from the primary" };
    return { way: "follow", reason: "all it has is in the primary's history" };
  });
}

/** Whether the primary has the segment at `end` no more, on any timeline. */
async function isLogGone(client: ControlClient, { timeline, lsn }: TimelinePosition): Promise<boolean> {
  const name = segmentName({ timeline, number: segmentOf(lsn) });
  const query =
    "select count(*) as files from pg_ls_waldir() where length(name) = 24 and right(name, 16) = right($1, 16)";
  return (await client.query(query, [name]))[0]?.["files"] === "0";
}

function upstreamIn(server: PostgresServer, { host, port }: ServerSource): Upstream {
  return { host, port, slot: slotName(server.name) };
}

async function historyAt(client: ControlClient, timeline: number): Promise<ReturnType<typeof parseHistory>> {
  if (timeline === 1) return [];
  const [row] = await client.query("select pg_read_file('pg_wal/' || $1) as text", [historyName(timeline)]);
  return parseHistory(row?.["text"] ?? "");
}

/** A connection to the source, as its superuser. */
async function withClient<T>(
  server: PostgresServer,
  { host, port }: ServerSource,
  run: (client: ControlClient) => Promise<T>,
): Promise<T> {
  const password = server.options.passwords.superuser;
  const client = await connectControl({ host, port, user: SUPERUSER, password });
  try {
    return await run(client);
  } finally {
    client.close();
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
  const upstream = upstreamIn(server, source);
  await withClient(server, source, async (client) => {
    await ensureSlot(client, slotName(server.name));
    await client.query("checkpoint"); // pg_rewind reads the timeline from the control file: it stands there from then on
  });
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
