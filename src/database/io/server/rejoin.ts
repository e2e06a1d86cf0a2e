/**
 * Bringing a stopped server back as a replica: as it is when all it has is in the primary's history, else rewound, else (also when its log
 * turns out to be one that cannot be replayed) as a new copy. A server that has more than the history must never just follow: Postgres lets it try for ever, and answer with
 * rows that the cluster does not have.
 */
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { parseLsn } from "../../../pgwire/index.ts";
import type { ServerSource } from "../../orders.ts";
import { REPLICATION_ROLE, slotName, type Upstream } from "../../server-settings.ts";
import {
  type DatabaseServerView,
  parseServerView,
  positionOf,
  SERVER_VIEW_QUERY,
} from "../../server-view.ts";
import { type Descent, descent, parseHistory, type TimelinePosition } from "../../timeline.ts";
import { historyName, segmentName, segmentOf, segmentStart } from "../../wal-file.ts";
import { type CloneOptions, clone } from "./clone.ts";
import type { ControlClient } from "./control-client.ts";
import { canRewind, hasData, readControlFile } from "./data-directory.ts";
import type { PostgresServer } from "./postgres-server.ts";
import { messageOf, ServerError } from "./problem.ts";
import { runProgram } from "./program.ts";
import { ensureSlot } from "./slots.ts";
import { endOfLog, newestTimeline, segmentSum } from "./wal-directory.ts";

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
  try {
    await server.start();
    return rejoined;
  } catch (problem) {
    if (rejoined.way === "cloned" || !CANNOT_RECOVER.test(messageOf(problem))) throw problem;
    await clone(server, source, options);
    options.signal?.throwIfAborted();
    await server.start();
    return { way: "cloned", reason: messageOf(problem) };
  }
}

/** What recovery of PostgreSQL 15 to 18 says of a log that it will never get through: of files that are missing, damaged, or of several timelines. */
const CANNOT_RECOVER =
  /according to history file, WAL location|is not a child of this server's history|is not a child of database system timeline|could not locate (?:a valid|required) checkpoint record|invalid (?:primary )?checkpoint record|WAL ends before/;

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
    const result = await descentAt(client, view, end);
    // pg_rewind takes servers of one timeline for the same, so it cannot part those that diverged on it.
    if (result.kind === "diverged")
      return { way: end.timeline === view.timeline ? "clone" : "rewind", reason: result.reason };
    const same = await hasSameLog(client, server.data, end);
    if (same === undefined) return { way: "clone", reason: "the log it needs is gone from the primary" };
    return same
      ? { way: "follow", reason: "all it has is in the primary's history" }
      : {
          way: "clone",
          reason: `its timeline ${end.timeline} is not the primary's: two servers were promoted`,
        };
  });
}

async function descentAt(
  client: ControlClient,
  view: DatabaseServerView,
  end: TimelinePosition,
): Promise<Descent> {
  const lsn = parseLsn(view.writtenLsn ?? view.flushedLsn ?? "") ?? 0n;
  return descent(end, { timeline: view.timeline, lsn }, await historyAt(client, view.timeline));
}

/** Whether a replica that runs may follow `source` as it is; undefined when the source cannot be asked. */
export async function mayFollow(
  server: PostgresServer,
  source: Pick<ServerSource, "host" | "port">,
): Promise<Descent | undefined> {
  const own = await server.view();
  // A replica that is cut off forgets the timeline that it received last, until its next checkpoint.
  const timeline = Math.max(own.timeline, await newestTimeline(server.data));
  const end = { timeline, lsn: positionOf(own) };
  try {
    return await withClient(server, source, async (client) => {
      const view = parseServerView((await client.query(SERVER_VIEW_QUERY))[0]?.["view"] ?? "");
      return descentAt(client, view, end);
    });
  } catch {
    return undefined;
  }
}

/**
 * Whether the primary's log has the same bytes as ours in the last segment of ours, up to its end; undefined when it has that
 * segment no more. Numbers cannot tell: two servers that were promoted from one point both begin timeline N + 1.
 */
async function hasSameLog(
  client: ControlClient,
  data: string,
  end: TimelinePosition,
): Promise<boolean | undefined> {
  const number = segmentOf(end.lsn - 1n);
  const name = segmentName({ timeline: end.timeline, number });
  const [file] = await client.query(
    "select name from pg_ls_waldir() where length(name) = 24 and right(name, 16) = right($1, 16) order by name <> $1, name desc",
    [name],
  );
  if (file === undefined) return undefined;
  const bytes = Number(end.lsn - segmentStart(number));
  const [theirs] = await client.query(
    `select encode(sha256(pg_read_binary_file('pg_wal/' || $1, 0, ${bytes})), 'hex') as sum`,
    [file["name"] ?? ""],
  );
  return theirs?.["sum"] === (await segmentSum(data, name, bytes));
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
  source: Pick<ServerSource, "host" | "port">,
  run: (client: ControlClient) => Promise<T>,
): Promise<T> {
  const client = await server.connectTo(source);
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
  const from = `${server.connectionTo(upstream)} dbname=postgres`;
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
