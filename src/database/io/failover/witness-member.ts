/** A witness as a member: it follows whoever is primary, votes and hands out what it has. There is nothing to start, promote or copy. */
import type { Clock, Log, Scheduler } from "../../../base/index.ts";
import { formatLsn } from "../../../pgwire/index.ts";
import type { ServerFacts } from "../../failover/facts.ts";
import type { Member } from "../../failover/member.ts";
import { NO_QUORUM } from "../../failover/quorum.ts";
import { bytesBetween } from "../../failover/record.ts";
import type { ServerOrder, ServerOutcome } from "../../failover/state.ts";
import { type AgentFacts, SETTINGS_HOLD, type WitnessFacts } from "../../orders.ts";
import { REPLICATION_ROLE, slotName } from "../../server-settings.ts";
import type { WalWitness } from "../witness/wal-witness.ts";
import type { Driven, Drives, Known } from "./driven.ts";

const DONE: ServerOutcome = { kind: "done" };

/** What it is made of. */
export interface WitnessMemberParts {
  readonly name: string;
  readonly witness: WalWitness;
  readonly members: readonly Member[];
  /** Where the witness keeps its log. */
  readonly folder: string;
  /** Of the role that replicas connect as. */
  readonly password: string;
  readonly clock: Clock;
  readonly scheduler: Scheduler;
  readonly log: Log;
}

export class WitnessMember implements Driven {
  readonly name: string;
  readonly time: { readonly clock: Clock; readonly scheduler: Scheduler };
  readonly log: Log;
  readonly needsLease = false;
  readonly #parts: WitnessMemberParts;
  #driver: Drives | undefined;
  #upstream: string | undefined;

  constructor(parts: WitnessMemberParts) {
    this.name = parts.name;
    this.time = parts;
    this.log = parts.log;
    this.#parts = parts;
  }

  attach(driver: Drives): void {
    this.#driver = driver;
  }

  /** What its agent reports. */
  report(): AgentFacts {
    const { witness, folder, members } = this.#parts;
    const status = this.#driver?.status() ?? null;
    return {
      name: this.name,
      state: "running",
      pid: process.pid,
      host: members.find(({ name }) => name === this.name)?.host ?? "",
      port: witness.port,
      data: folder,
      term: status?.record?.term ?? 0,
      leaseLeftMs: null,
      viewAtMs: null,
      view: null,
      stopped: null,
      order: null,
      problem: witness.view().problem ?? null,
      settings: SETTINGS_HOLD,
      failover: status,
      witness: this.#witnessFacts(),
    };
  }

  #witnessFacts(): WitnessFacts {
    const { position, begin, heard, streaming, isWhole } = this.#parts.witness.view();
    const { timeline, lsn } = position;
    return {
      timeline,
      beginLsn: formatLsn(begin),
      flushedLsn: formatLsn(lsn),
      upstream: this.#upstream ?? null,
      streaming,
      lagBytes: this.#upstream === undefined ? null : bytesBetween(lsn, heard),
      isWhole,
    };
  }

  facts(): Promise<ServerFacts> {
    const { position, isWhole, fork, streaming, heard } = this.#parts.witness.view();
    return Promise.resolve({
      running: true,
      role: "replica",
      // What it cannot vouch for it does not have.
      timeline: isWhole ? position.timeline : 0,
      lsn: isWhole ? position.lsn : 0n,
      fork,
      upstream: this.#upstream,
      streaming,
      stuck: false,
      heard,
      quorum: NO_QUORUM,
      replicas: [],
    });
  }

  /** At once: what is still to be connected or written does not count, and is waited for by nobody. */
  async carryOut(order: ServerOrder, _known: Known): Promise<ServerOutcome> {
    switch (order.kind) {
      case "follow":
      case "rejoin":
        return this.#follow(order.server);
      case "detach":
      case "stop":
      case "freeze":
        this.#upstream = undefined;
        this.#parts.witness.detach();
        return DONE;
      case "start":
      case "checkpoint":
      case "drain":
      case "quorum":
      case "promote":
        return { kind: "failed", reason: `a witness has no data: there is nothing to ${order.kind}` };
    }
  }

  lease(): Promise<unknown> {
    return Promise.resolve();
  }

  ordered(): undefined {
    return undefined;
  }

  #follow(server: string): ServerOutcome {
    const { witness, members, password } = this.#parts;
    const member = members.find(({ name }) => name === server);
    if (member === undefined) return { kind: "failed", reason: `${server} is no member of the cluster` };
    const { host, port } = member;
    this.#upstream = server;
    witness.follow({ host, port, user: REPLICATION_ROLE, password, slot: slotName(this.name) });
    return DONE;
  }
}
