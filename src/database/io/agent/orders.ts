/** How each order is carried out: one row each. All of them may be repeated. */
import { formatLsn } from "../../../pgwire/index.ts";
import type { Order, OrderProblem } from "../../orders.ts";
import type { BackupStore } from "../server/backup-store.ts";
import { type CloneOptions, clone } from "../server/clone.ts";
import { detach } from "../server/detach.ts";
import { drainFiles } from "../server/drain.ts";
import type { PostgresServer } from "../server/postgres-server.ts";
import { mayFollow, rejoin, rewind } from "../server/rejoin.ts";
import type { Lease } from "./lease.ts";

/** A checkpoint writes all of a large cache. */
const CHECKPOINT_TIMEOUT_MS = 600_000;

/** An order that makes no sense now; `reason` is what the sender gets. */
export class Refusal extends Error {
  readonly reason: OrderProblem;

  constructor(reason: OrderProblem, message: string) {
    super(message);
    this.name = "Refusal";
    this.reason = reason;
  }
}

/** Figures of an order that was carried out. */
export type Detail = Readonly<Record<string, string | number>> | undefined;

/** What orders need of the agent. */
export interface OrderedAgent {
  readonly server: PostgresServer;
  readonly backups: BackupStore | undefined;
  readonly lease: Lease;
  /** The term of the last promotion or lease. */
  readonly term: number;
  /** Whether it may take writes now. */
  readonly mayWrite: boolean;
  /** Takes a term over, durably, before anything is done in it. */
  enterTerm(term: number, needsLease: boolean): Promise<void>;
  /** Starts the server as what it may be. */
  startServer(): Promise<void>;
}

type Carry<Kind extends Order["kind"]> = (
  agent: OrderedAgent,
  order: Extract<Order, { kind: Kind }>,
  options: CloneOptions,
) => Promise<Detail | void>;

/** Kind -> what is done. The two that do not wait for their turn are the agent's own. */
export const ORDERS: { readonly [Kind in Exclude<Order["kind"], "lease" | "freeze">]: Carry<Kind> } = {
  start: (agent) => agent.startServer(),

  async restart(agent) {
    await agent.server.stop("fast");
    await agent.startServer();
  },

  async stop(agent, { mode }) {
    await agent.server.stop(mode);
  },

  async promote(agent, { term, timeline }) {
    const role = await roleOf(agent);
    if (role === "primary" && agent.term === term) return { timeline: (await agent.server.view()).timeline };
    if (role === "primary")
      throw new Refusal("is-primary", `${agent.server.name} is a primary of term ${agent.term}`);
    if (term <= agent.term && !(agent.lease.isHeld && term === agent.term))
      throw new Refusal("stale-term", `term ${term} is not above ${agent.term}, which this server has seen`);
    if (!agent.mayWrite)
      throw new Refusal(
        "lease-over",
        `${agent.server.name} holds no lease: give it one before it is promoted`,
      );
    await agent.enterTerm(term, false);
    return { timeline: await agent.server.promote(timeline) };
  },

  async follow(agent, { term, upstream }) {
    const isRunning = agent.server.state === "running";
    if (isRunning && (await roleOf(agent)) === "primary")
      throw new Refusal(
        "is-primary",
        `${agent.server.name} is a primary: demote it, or freeze it and let it rejoin`,
      );
    await agent.enterTerm(term, false);
    const found = isRunning ? await mayFollow(agent.server, upstream) : undefined;
    if (found?.kind === "diverged")
      throw new Refusal("diverged", `${agent.server.name} cannot follow: ${found.reason}; let it rejoin`);
    await agent.server.follow(upstream);
    if (!isRunning) await agent.startServer();
  },

  async demote(agent, { term, upstream }) {
    await agent.enterTerm(term, false);
    if ((await roleOf(agent)) === "replica") await agent.server.follow(upstream);
    else await agent.server.demote(upstream);
    agent.lease.release();
  },

  async rejoin(agent, { term, source }, options) {
    await agent.enterTerm(term, false);
    await agent.server.stop("fast");
    agent.lease.release();
    return { ...(await rejoin(agent.server, source, options)) };
  },

  async rewind(agent, { term, source }) {
    await agent.enterTerm(term, false);
    await agent.server.stop("fast");
    agent.lease.release();
    await rewind(agent.server, source);
    await agent.startServer();
  },

  async reclone(agent, { term, source }, options) {
    await agent.enterTerm(term, false);
    await agent.server.stop("immediate");
    agent.lease.release();
    const { copiedBytes, files } = await clone(agent.server, source, options);
    options.signal?.throwIfAborted();
    await agent.startServer();
    return { copiedBytes, files };
  },

  async detach(agent) {
    if (agent.server.state === "running" && (await roleOf(agent)) === "primary")
      throw new Refusal("is-primary", `${agent.server.name} is a primary: it follows nobody`);
    await detach(agent.server);
  },

  async checkpoint(agent) {
    await agent.server.query("checkpoint", [], CHECKPOINT_TIMEOUT_MS);
  },

  async drain(agent, { data, timeline }) {
    if ((await roleOf(agent)) === "primary")
      throw new Refusal("is-primary", `${agent.server.name} is a primary: it lacks nothing`);
    const { bytes, commits, end } = await drainFiles(agent.server, data, timeline);
    return { bytes, commits, end: formatLsn(end) };
  },

  async quorum(agent, { count, names }) {
    await roleOf(agent);
    await agent.server.setQuorum(count, names);
  },

  async slots(agent, { servers }) {
    await needPrimary(agent);
    await agent.server.setSlots(servers);
  },

  async backup(agent, { label, keep }, options) {
    if (agent.backups === undefined)
      throw new Refusal("no-archive", `${agent.server.name} has no archive: give it one (backups)`);
    await needPrimary(agent);
    const { id, files, start, stop } = await agent.backups.backUp(agent.server, label, options);
    const bytes = files.reduce((sum, file) => sum + file.bytes, 0);
    const pruned = keep === undefined ? undefined : await agent.backups.prune(keep);
    const gone = pruned === undefined ? {} : { gone: pruned.backups.join(", "), goneLog: pruned.walFiles };
    return { id, start, stop, files: files.length, bytes, ...gone };
  },
};

async function roleOf(agent: OrderedAgent): Promise<"primary" | "replica"> {
  if (agent.server.state !== "running")
    throw new Refusal("not-running", `${agent.server.name} does not run: start it`);
  return (await agent.server.view()).role;
}

async function needPrimary(agent: OrderedAgent): Promise<void> {
  if ((await roleOf(agent)) === "replica")
    throw new Refusal("is-replica", `${agent.server.name} is a replica: ask the primary's agent`);
}
