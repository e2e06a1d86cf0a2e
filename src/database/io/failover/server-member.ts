/** A Postgres server as a member: what a driver wants of it, its agent carries out. */
import type { Clock, Log, Scheduler } from "../../../base/index.ts";
import type { ServerFacts } from "../../failover/facts.ts";
import type { Member } from "../../failover/member.ts";
import type { ClusterRecord } from "../../failover/record.ts";
import type { ServerOrder, ServerOutcome } from "../../failover/state.ts";
import type { Order, OrderOutcome } from "../../orders.ts";
import type { DatabaseAgent } from "../agent/agent.ts";
import type { Driven, Drives, Known } from "./driven.ts";
import { FactsReader } from "./server-facts.ts";
import { carryOut, type OrderContext, sourceOf } from "./server-orders.ts";

export class ServerMember implements Driven {
  readonly name: string;
  readonly time: { readonly clock: Clock; readonly scheduler: Scheduler };
  readonly log: Log;
  readonly #agent: DatabaseAgent;
  readonly #members: readonly Member[];
  readonly #reader: FactsReader;

  /** `agent` is governed: see `AgentParts`. */
  constructor(agent: DatabaseAgent, members: readonly Member[]) {
    const { name, options } = agent.server;
    this.name = name;
    this.time = options;
    this.log = options.log;
    this.#agent = agent;
    this.#members = members;
    this.#reader = new FactsReader(agent, members);
  }

  get needsLease(): boolean {
    return this.#agent.needsLease;
  }

  attach(driver: Drives): void {
    this.#agent.failover = () => driver.status();
    this.#agent.onEnd = () => driver.look();
  }

  facts(): Promise<ServerFacts> {
    return this.#reader.read();
  }

  async carryOut(order: ServerOrder, known: Known): Promise<ServerOutcome> {
    const reader = this.#reader;
    const onReplayed: OrderContext["onReplayed"] = (replayed) => (reader.replayed = replayed);
    if (order.kind === "start" || order.kind === "rejoin") reader.starting();
    const context = { ...known, agent: this.#agent, members: this.#members, onReplayed };
    const outcome = await carryOut(context, order);
    if (order.kind === "rejoin" && outcome.kind === "done") reader.forget();
    return outcome;
  }

  lease(term: number, validMs: number): Promise<unknown> {
    return this.#agent.order({ kind: "lease", term, validMs });
  }

  ordered(order: Order, record: ClusterRecord | undefined): Promise<OrderOutcome> | undefined {
    if (order.kind === "backup") return this.#agent.order(order);
    if (record === undefined) return undefined;
    if (order.kind === "restart") return this.#agent.order(order);
    if (order.kind !== "reclone") return undefined;
    const source = sourceOf({ members: this.#members }, record.server);
    return this.#agent.order({ ...order, term: record.term, source });
  }
}
