/** What a driver drives: a Postgres server by its agent, or a witness. Both are members, and one state machine decides for both. */
import type { Clock, Log, Scheduler } from "../../../base/index.ts";
import type { ServerFacts } from "../../failover/facts.ts";
import type { ClusterRecord } from "../../failover/record.ts";
import type { ServerOrder, ServerOutcome } from "../../failover/state.ts";
import type { FailoverStatus, FoundLoss } from "../../failover/status.ts";
import type { Order, OrderOutcome } from "../../orders.ts";

/** What is known when an order is carried out. */
export interface Known {
  readonly record: ClusterRecord | undefined;
  readonly facts: ServerFacts | undefined;
  /** What the server had that is in no history, told before that is thrown away. */
  readonly onLoss: (loss: FoundLoss) => void;
}

/** The driver, as what it drives sees it. */
export interface Drives {
  status(): FailoverStatus;
  /** Something has happened that nobody asked for: the facts are others now. */
  look(): void;
}

/** One member's server. */
export interface Driven {
  readonly name: string;
  readonly time: { readonly clock: Clock; readonly scheduler: Scheduler };
  readonly log: Log;
  /** It has had a lease once, and must have it confirmed at once. */
  readonly needsLease: boolean;
  /** Once, before anything else. */
  attach(driver: Drives): void;
  /** What it is now. */
  facts(): Promise<ServerFacts>;
  /** Never rejects. Done when its effect can be seen. */
  carryOut(order: ServerOrder, known: Known): Promise<ServerOutcome>;
  /** The right to be primary for `validMs` from now on. */
  lease(term: number, validMs: number): Promise<unknown>;
  /** An order from outside that decides nothing about roles; undefined = it is none of these. */
  ordered(order: Order, record: ClusterRecord | undefined): Promise<OrderOutcome> | undefined;
}
