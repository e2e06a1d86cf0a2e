/**
 * What a member's state machine is told of its server: asked of the server while it runs, read from its files while it does not.
 */
import { existsSync, statSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { type Lsn, parseLsn } from "../../../pgwire/index.ts";
import type { ServerFacts } from "../../failover/facts.ts";
import type { Member } from "../../failover/member.ts";
import type { AppliedQuorum } from "../../failover/quorum.ts";
import type { Replayed } from "../../failover/starts.ts";
import type { PostgresSettings } from "../../server-settings.ts";
import { type DatabaseServerView, positionOf } from "../../server-view.ts";
import { parseHistory, type TimelinePosition } from "../../timeline.ts";
import { historyName } from "../../wal-file.ts";
import type { DatabaseAgent } from "../agent/agent.ts";
import { hasData, readRole } from "../server/data-directory.ts";
import { endOfLog, newestTimeline } from "../server/wal-directory.ts";
import { ProcessWatch } from "./process-watch.ts";
import { StuckWatch } from "./stuck-watch.ts";

/** One query without an answer may be a busy machine; after so many in a row the server hangs, and counts as one that is down. */
const SILENT_MAX = 2;

const NOWHERE: TimelinePosition = { timeline: 0, lsn: 0n };

/** Reads the facts of one agent's server, and remembers what the server itself forgets. */
export class FactsReader {
  readonly #agent: DatabaseAgent;
  readonly #members: readonly Member[];
  readonly #stuck: StuckWatch;
  readonly #processes: ProcessWatch;
  /** Of the promotion under way, or the last one. */
  replayed: Replayed | undefined;
  #heard: Lsn = 0n;
  #silent = 0;
  #last: ServerFacts | undefined;
  /** End of a stopped server's log: read once for each stop. */
  #end: { readonly key: string; readonly position: TimelinePosition } | undefined;

  constructor(agent: DatabaseAgent, members: readonly Member[]) {
    this.#agent = agent;
    this.#members = members;
    this.#stuck = new StuckWatch(agent.server);
    this.#processes = new ProcessWatch(agent.server);
  }

  /** What its upstreams told it belongs to data that is no more: it was rewound or made anew. */
  forget(): void {
    this.#heard = 0n;
  }

  /** The server is about to be started. */
  starting(): void {
    this.#processes.starting();
  }

  /** Reads them now. O(log since the last checkpoint) for a server that has just stopped. */
  async read(): Promise<ServerFacts> {
    const { server } = this.#agent;
    const view = server.state === "running" ? await this.#agent.look() : undefined;
    if (view !== undefined) {
      this.#silent = 0;
      this.#last = await this.#ofRunning(view);
    } else if (server.state === "running" && this.#last?.running === true) {
      this.#silent += 1;
      if (this.#silent >= SILENT_MAX) this.#last = { ...this.#last, running: false, streaming: false };
    } else {
      this.#last = await this.#ofStopped();
    }
    return this.#last;
  }

  async #ofRunning(view: DatabaseServerView): Promise<ServerFacts> {
    const { data } = this.#agent.server;
    const isReplica = view.role === "replica";
    // A replica that is cut off forgets the timeline that it received last, until its next checkpoint.
    const timeline = isReplica ? Math.max(view.timeline, await newestTimeline(data)) : view.timeline;
    const upstream = isReplica ? this.#upstreamIn(await readRole(data)) : undefined;
    const heard = parseLsn(view.receiver?.upstreamLsn ?? "") ?? 0n;
    if (heard > this.#heard) this.#heard = heard;
    const streaming = view.receiver !== null;
    const replicas = view.replicas
      .filter(({ state }) => state === "streaming")
      .map(({ name, flushedLsn }) => ({ name, flushed: parseLsn(flushedLsn ?? "") ?? 0n }));
    return {
      running: true,
      role: view.role,
      timeline,
      lsn: positionOf(view),
      fork: await forkOf(data, timeline),
      upstream,
      streaming,
      stuck: this.#stuck.isStuck(upstream, streaming),
      heard: this.#heard,
      quorum: parseQuorum(view.synchronousNames),
      replicas,
      ...(isReplica ? {} : { life: await this.#processes.current() }),
      ...(isReplica || this.replayed === undefined ? {} : { replayed: this.replayed }),
    };
  }

  async #ofStopped(): Promise<ServerFacts> {
    const { data } = this.#agent.server;
    const isThere = await hasData(data);
    const settings = isThere ? await readRole(data) : {};
    const follows = settings["primary_conninfo"] !== undefined;
    const isReplica = !isThere || follows || existsSync(join(data, "standby.signal"));
    const { timeline, lsn } = isThere ? await this.#endOf(data) : NOWHERE;
    return {
      running: false,
      role: isReplica ? "replica" : "primary",
      timeline,
      lsn,
      fork: await forkOf(data, timeline),
      upstream: this.#upstreamIn(settings),
      streaming: false,
      stuck: false,
      heard: this.#heard,
      quorum: parseQuorum(settings["synchronous_standby_names"] ?? ""),
      replicas: [],
    };
  }

  async #endOf(data: string): Promise<TimelinePosition> {
    const control = statSync(join(data, "global/pg_control"), { throwIfNoEntry: false });
    const log = statSync(join(data, "pg_wal"), { throwIfNoEntry: false });
    const key = `${control?.ino} ${control?.mtimeMs} ${log?.mtimeMs} ${this.#agent.server.pid}`;
    if (this.#end?.key !== key) this.#end = { key, position: await endOfLog(data).catch(() => NOWHERE) };
    return this.#end.position;
  }

  /** A member's name, or its address when it is none. */
  #upstreamIn(settings: PostgresSettings): string | undefined {
    const info = settings["primary_conninfo"];
    if (info === undefined) return undefined;
    const field = (name: string): string => new RegExp(`(?:^| )${name}='([^']*)'`).exec(info)?.[1] ?? "";
    const [host, port] = [field("host"), Number(field("port"))];
    const member = this.#members.find((one) => one.host === host && one.port === port);
    return member?.name ?? `${host}:${port}`;
  }
}

/** Where a timeline began, from its history file; 0 for the first one. */
async function forkOf(data: string, timeline: number): Promise<Lsn> {
  if (timeline <= 1) return 0n;
  const text = await readFile(join(data, "pg_wal", historyName(timeline)), "utf8").catch(() => "");
  return parseHistory(text).at(-1)?.at ?? 0n;
}

/** Reads what `quorumOf` wrote. */
function parseQuorum(text: string): AppliedQuorum {
  const [, count = "0", list = ""] = /^ANY (\d+) \((.*)\)$/.exec(text) ?? [];
  const names = [...list.matchAll(/"((?:[^"]|"")*)"/g)].map(([, name = ""]) => name.replaceAll('""', '"'));
  return { count: Number(count), names };
}
