/**
 * A failover to look at: a cluster in a temporary folder, clients that write through its router, and a primary that dies with its agent.
 *
 *   start -> write -> kill -> another one is primary -> write -> the old one comes back as a replica -> count
 */
import { PgConnection } from "../../pgwire/io/index.ts";
import type { AskedServer } from "../databases/agents.ts";
import { StartFailure } from "../start-failure.ts";
import { DemoCluster, type DemoWanted } from "./demo-cluster.ts";
import { DemoWriters, type Written } from "./demo-writers.ts";
import { nowMs, wait } from "./time.ts";

/** What to show. */
export interface FailoverDemoOptions extends DemoWanted {
  /** Rows a second. */
  readonly rate: number;
  /** Ends it early. */
  readonly stopped: Promise<void>;
  /** Each step, as it happens. */
  readonly say: (line: string) => void;
}

/** What came of it. */
export interface FailoverDemoResult extends Omit<Written, "acknowledged"> {
  readonly acknowledged: number;
  /** Rows that were acknowledged and are not there. */
  readonly lost: number;
  readonly before: string;
  readonly after: string;
  readonly term: number;
  /** From the kill until the new primary had the lease and took writes. */
  readonly promotedMs: number;
}

/** Writes before the kill, and after it. */
const STEADY_MS = 3_000;

const POLL_MS = 50;

/** A cluster is up, and a failover over, in seconds; a busy machine may need more. */
const PATIENCE_MS = 120_000;

/** Runs it and cleans up, whatever happens. Rejects with a `StartFailure` when the cluster does not come up. */
export async function runFailoverDemo(options: FailoverDemoOptions): Promise<FailoverDemoResult> {
  const cluster = new DemoCluster(options);
  try {
    const early = options.stopped.then(() => {
      throw new StartFailure("the demo was stopped", "");
    });
    return await Promise.race([run(cluster, options), early]);
  } finally {
    await cluster.remove();
  }
}

async function run(
  cluster: DemoCluster,
  { servers, rate, mode, say }: FailoverDemoOptions,
): Promise<FailoverDemoResult> {
  say(`starting ${servers} servers, ${mode}, in ${cluster.folder}`);
  cluster.start();
  const before = await until(cluster, "the cluster is whole", () => primaryOfWhole(cluster, servers));
  const login = { ...cluster.address, user: "demo", password: cluster.password };
  const client = await PgConnection.connect(login);
  await client.rows("create table writes (id bigint primary key)").finally(() => client.close());
  say(`${before.name} is primary; ${rate} writes a second through the router at 127.0.0.1:${login.port}`);

  const writers = new DemoWriters(login, rate);
  await wait(STEADY_MS);
  const killedMs = nowMs();
  await cluster.kill(before);
  say(`killed: the server ${before.name} and its agent, after ${writers.acknowledged} acknowledged writes`);
  const after = await until(cluster, "another server is primary", async () => {
    const found = await cluster.primary();
    return found?.name === before.name ? undefined : found;
  });
  const promotedMs = Math.round(nowMs() - killedMs);
  const term = after.facts?.failover?.record?.term ?? 0;
  say(`${after.name} is primary of term ${term}, ${promotedMs} ms after the kill`);
  const seen = writers.acknowledged;
  await until(cluster, "writes go on", async () => writers.acknowledged > seen || undefined);
  await wait(STEADY_MS);
  const written = await writers.stop();

  cluster.startAgent(before.name);
  await until(cluster, `${before.name} is a replica`, () => primaryOfWhole(cluster, servers));
  say(`${before.name} is back, as a replica`);
  const lost = await missingAt(cluster, after, written.acknowledged);
  const { acknowledged, ...seenByClients } = written;
  const names = { before: before.name, after: after.name };
  return { ...seenByClients, acknowledged: acknowledged.length, lost, ...names, term, promotedMs };
}

/** The primary, once all others stream from it. */
async function primaryOfWhole(cluster: DemoCluster, servers: number): Promise<AskedServer | undefined> {
  const primary = await cluster.primary();
  const streaming = primary?.facts?.view?.replicas.filter(({ state }) => state === "streaming") ?? [];
  return streaming.length === servers - 1 ? primary : undefined;
}

async function missingAt(
  cluster: DemoCluster,
  { facts }: AskedServer,
  acknowledged: readonly number[],
): Promise<number> {
  const connection = await PgConnection.connect(cluster.login(facts?.port ?? 0));
  try {
    const rows = await connection.rows("select id from writes");
    const there = new Set(rows.map(({ id }) => Number(id)));
    return acknowledged.filter((id) => !there.has(id)).length;
  } finally {
    connection.close();
  }
}

async function until<T>(cluster: DemoCluster, what: string, look: () => Promise<T | undefined>): Promise<T> {
  const end = nowMs() + PATIENCE_MS;
  for (;;) {
    const found = await look();
    if (found !== undefined) return found;
    const log = cluster.ended();
    if (log !== undefined)
      throw new StartFailure(lastLine(await Bun.file(log).text()), "mend that, and try again");
    if (nowMs() > end)
      throw new StartFailure(
        `waited ${PATIENCE_MS / 1000} s in vain: ${what}`,
        "try again on a calmer machine",
      );
    await wait(POLL_MS);
  }
}

function lastLine(text: string): string {
  return text.trim().split("\n").at(-1) ?? "";
}
