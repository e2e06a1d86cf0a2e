/** How each order of the state machine is carried out on a real server: one row each. All of them may be repeated. */
import type { Lsn } from "../../../pgwire/index.ts";
import { parseLsn } from "../../../pgwire/index.ts";
import type { Member } from "../../failover/member.ts";
import { type ClusterRecord, standingOf } from "../../failover/record.ts";
import type { Replayed } from "../../failover/starts.ts";
import type { ServerOrder, ServerOutcome } from "../../failover/state.ts";
import type { FoundLoss } from "../../failover/status.ts";
import type { Order, OrderOutcome, ServerSource } from "../../orders.ts";
import { slotName } from "../../server-settings.ts";
import type { DatabaseAgent } from "../agent/agent.ts";
import { messageOf } from "../server/problem.ts";
import { ensureSlotAt } from "../server/slots.ts";
import { scanDirectory } from "../server/wal-directory.ts";
import type { Known } from "./driven.ts";
import { replayEnd } from "./process-watch.ts";

/** What an order is carried out with. */
export interface OrderContext extends Known {
  readonly agent: DatabaseAgent;
  readonly members: readonly Member[];
  /** What it had replayed, told before it is promoted. */
  readonly onReplayed: (replayed: Replayed | undefined) => void;
}

type Carry<Kind extends ServerOrder["kind"]> = (
  context: OrderContext,
  order: Extract<ServerOrder, { kind: Kind }>,
) => Promise<ServerOutcome>;

const DONE: ServerOutcome = { kind: "done" };

const ORDERS: { readonly [Kind in ServerOrder["kind"]]: Carry<Kind> } = {
  start: ({ agent }) => give(agent, { kind: "start" }),
  stop: ({ agent }) => give(agent, { kind: "stop", mode: "fast" }),
  freeze: ({ agent }) => give(agent, { kind: "freeze" }),
  checkpoint: ({ agent }) => give(agent, { kind: "checkpoint" }),
  detach: ({ agent }) => give(agent, { kind: "detach" }),
  quorum: ({ agent }, { count, names }) => give(agent, { kind: "quorum", count, names }),

  async follow(context, { server }) {
    const { agent, record } = context;
    const source = sourceOf(context, server);
    // Whoever is only drained keeps nothing for anybody.
    const isPrimary = record?.server === server && record.phase === "running";
    if (isPrimary) await ensureSlotAt(source, agent.server);
    const slot = isPrimary ? slotName(agent.server.name) : undefined;
    const upstream = { host: source.host, port: source.port, slot };
    const outcome = await give(agent, { kind: "follow", term: record?.term ?? 0, upstream });
    if (outcome.kind === "done") await dropSlots(agent);
    return outcome;
  },

  async rejoin(context, { server }) {
    const { agent, record, facts } = context;
    const isThere = agent.server.state === "running" && facts?.upstream === server;
    if (isThere && facts.streaming) return DONE; // somebody else has brought it back
    const loss = await lossOf(context);
    if (loss !== undefined) context.onLoss(loss);
    const source = sourceOf(context, server);
    const outcome = await give(agent, { kind: "rejoin", term: record?.term ?? 0, source });
    if (outcome.kind === "done") await dropSlots(agent);
    return outcome;
  },

  async drain({ agent, members }, { server, timeline }) {
    const data = members.find(({ name }) => name === server)?.data;
    if (data === undefined) return { kind: "failed", reason: `the data of ${server} cannot be read here` };
    const outcome = await agent.order({ kind: "drain", data, timeline });
    if (outcome.kind === "refused") return { kind: "failed", reason: outcome.message };
    const end = parseLsn(String(outcome.detail["end"]));
    return end === undefined ? DONE : { kind: "done", end };
  },

  async promote({ agent, members, record, onReplayed }, { term, timeline }) {
    const replayed = await replayEnd(agent.server, record?.fork ?? 0n);
    if (replayed !== "primary") onReplayed(replayed);
    const outcome = await give(agent, { kind: "promote", term, timeline });
    if (outcome.kind === "failed") return outcome;
    const others = members.flatMap(({ name }) => (name === agent.server.name ? [] : [name]));
    await agent.order({ kind: "slots", servers: others }); // a replica makes its own when this fails
    return outcome;
  },
};

/** Carries an order out; never rejects. */
export async function carryOut(context: OrderContext, order: ServerOrder): Promise<ServerOutcome> {
  const carry = ORDERS[order.kind] as (context: OrderContext, order: ServerOrder) => Promise<ServerOutcome>;
  try {
    return await carry(context, order);
  } catch (problem) {
    return { kind: "failed", reason: messageOf(problem) };
  }
}

async function give(agent: DatabaseAgent, order: Order): Promise<ServerOutcome> {
  const outcome: OrderOutcome = await agent.order(order);
  return outcome.kind === "done" ? DONE : { kind: "failed", reason: outcome.message };
}

/** A member as the source of a copy. Throws when there is none of that name. */
export function sourceOf({ members }: Pick<OrderContext, "members">, name: string): ServerSource {
  const member = members.find((one) => one.name === name);
  if (member === undefined) throw new Error(`${name} is no member of the cluster`);
  const { host, port, data } = member;
  return { name, host, port, ...(data === undefined ? {} : { data }) };
}

/** A replica keeps no log for others: slots of its time as a primary would fill its disk. */
async function dropSlots({ server }: DatabaseAgent): Promise<void> {
  if (server.state === "running") await server.setSlots([]).catch(() => {});
}

/** What a stopped server has beyond the history: bytes, and the commits among them. */
async function lossOf({ agent, record, facts }: OrderContext): Promise<FoundLoss | undefined> {
  if (record === undefined || facts === undefined || facts.timeline === 0) return undefined;
  const standing = standingOf(record, agent.server.name, facts);
  if (standing.kind !== "diverged") return undefined;
  const fork = forkAfter(record, facts.timeline);
  if (fork === undefined) return { bytes: standing.bytes, commits: null };
  const { commits } = await scanDirectory(agent.server.data, fork, fork, facts.timeline);
  return { bytes: standing.bytes, commits };
}

function forkAfter({ terms }: ClusterRecord, timeline: number): Lsn | undefined {
  const at = terms.findIndex((term) => term.timeline === timeline);
  return at < 0 ? undefined : terms[at + 1]?.fork;
}
