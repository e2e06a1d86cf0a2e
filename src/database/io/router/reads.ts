/**
 * What one worker knows of its cluster's replicas, and the questions that its reads wait for.
 *
 *   monitors -> positions of the primary and of the replicas, timelines -> decide() -> pools of replicas
 *
 * The primary is asked for its position, and replicas for theirs, once a second; while reads wait, as soon as the last answer has come. One
 * answer serves all that wait for it.
 */
import { type TimerEntry, timerEntry } from "../../../base/index.ts";
import {
  type Credentials,
  cstringEnd,
  type ErrorReply,
  type Lsn,
  parseLsn,
  textOf,
} from "../../../pgwire/index.ts";
import type { Consistency } from "../../../sql/index.ts";
import { ADMISSION_LIMITS, Admission, type AdmissionLimits } from "../../reads/admission.ts";
import { type Decision, decide, type ReadBatch, type ReadCluster } from "../../reads/decide.ts";
import type { Identity } from "../../reads/identity.ts";
import { Positions } from "../../reads/positions.ts";
import type { ReadSession } from "../../reads/read-session.ts";
import type { ReadReason } from "../../reads/reasons.ts";
import { LAG_LIMITS, type LagLimits, Replica } from "../../reads/replica.ts";
import { type TextPlan, textPlans } from "../../reads/text-plan.ts";
import { Writers } from "../../reads/writers.ts";
import type { Statement } from "../../router/prepared.ts";
import { routerError } from "../../router/refusals.ts";
import type { ClusterServer, ClusterView } from "../../view.ts";
import type { RouterContext } from "./context.ts";
import type { ControlRows } from "./control-connection.ts";
import { DatabaseFunctions } from "./database-functions.ts";
import { Monitor } from "./monitor.ts";
import type { Placement } from "./placement.ts";
import { Pool } from "./pool.ts";
import {
  PACED_SQL,
  PRIMARY_SQL,
  PRIMARY_SQL_FULL,
  type PrimaryPosition,
  primaryPosition,
  REPLICA_SQL,
} from "./position-queries.ts";
import { Watches } from "./watches.ts";

/** How reads are split off. */
export interface ReadsSettings {
  /** Who asks servers how far they are: any user that may log in. One with REPLICATION sees timelines at once. */
  readonly monitor: { readonly user: string; readonly database: string };
  /** What sessions have that do not say otherwise. Default: session. */
  readonly consistency?: Consistency;
  readonly lag?: Partial<LagLimits>;
  /** Longest wait for a replica to replay what a read must see. Default 20 ms. */
  readonly waitMs?: number;
  /** How often positions are asked for when nobody waits. Default 1 s. */
  readonly intervalMs?: number;
  /** Reads on the primary for want of a replica. */
  readonly primary?: Partial<AdmissionLimits>;
}

/** What `Reads` needs of its worker. */
export interface ReadsHost {
  readonly context: RouterContext;
  readonly credentials: (
    user: string,
    database: string,
    parameters?: readonly (readonly [string, string])[],
  ) => Credentials;
}

const WAIT_MS = 20;
const INTERVAL_MS = 1000;

type Ask = (position: PrimaryPosition | undefined) => void;

export class Reads {
  readonly host: ReadsHost;
  readonly context: RouterContext;
  readonly settings: ReadsSettings;
  readonly waitMs: number;
  readonly planOf: (text: string) => TextPlan = textPlans();
  readonly admission: Admission<Placement>;
  readonly functions: DatabaseFunctions;
  /** Batches by the reason for which they went where they went. */
  readonly counts: Map<ReadReason | "reads-shed", number> = new Map();
  /** Grows when the primary changes: what sessions know of its positions is void. */
  epoch = 0;
  readonly #planOfStatement = new WeakMap<Statement, TextPlan>();
  readonly #limits: LagLimits;
  readonly #positions = new Positions();
  readonly #writers = new Writers();
  #replicas: Replica[] = [];
  readonly #monitors = new Map<string, Monitor>();
  readonly #pools = new Map<string, Pool>();
  #primary: ClusterServer | undefined;
  #primaryMonitor: Monitor | undefined;
  /** The primary's. */
  #identity: Identity | undefined;
  #isCommitOff = false;
  #isSetElsewhere = false;
  #nextMs = 0;
  /** Wait for the question under way, and for the next one. */
  #asking: Ask[] = [];
  #askNext: Ask[] = [];
  readonly #watches = new Watches();
  readonly #timer: TimerEntry;

  constructor(host: ReadsHost, settings: ReadsSettings) {
    this.host = host;
    this.context = host.context;
    this.settings = settings;
    this.waitMs = settings.waitMs ?? WAIT_MS;
    this.#limits = { ...LAG_LIMITS, ...settings.lag };
    this.admission = new Admission({ ...ADMISSION_LIMITS, ...settings.primary }, (placement) =>
      placement.admitted(),
    );
    this.functions = new DatabaseFunctions(host, settings.monitor.user, () => this.#primary);
    this.#timer = timerEntry(() => this.#tick());
  }

  get hasReplicas(): boolean {
    return this.#replicas.length > 0;
  }
  get replicas(): readonly Replica[] {
    return this.#replicas;
  }
  get pools(): Iterable<Pool> {
    return this.#pools.values();
  }
  get consistency(): Consistency {
    return this.settings.consistency ?? { kind: "session" };
  }
  get cluster(): ReadCluster {
    return {
      replicas: this.#replicas,
      positions: this.#positions,
      timeline: this.#identity?.timeline ?? this.#timelineOfView,
      writers: this.#writers,
    };
  }
  /** 0: the view does not know it. */
  get #timelineOfView(): number | undefined {
    const timeline = this.#primary?.timeline ?? 0;
    return timeline > 0 ? timeline : undefined;
  }

  /** The plan of a prepared statement. */
  planOfStatement(statement: Statement): TextPlan {
    let plan = this.#planOfStatement.get(statement);
    if (plan === undefined) {
      const { body } = statement;
      plan = this.planOf(textOf(body, 0, Math.max(0, cstringEnd(body, 0, body.length))));
      this.#planOfStatement.set(statement, plan);
    }
    return plan;
  }

  /** There may be commits that were acknowledged before they were on disk: synchronous_commit is off for somebody. */
  get commitsUnwaited(): boolean {
    return this.#isCommitOff || this.#isSetElsewhere;
  }

  decide(batch: Omit<ReadBatch, "functions">, session: ReadSession, database: string): Decision {
    const functions = this.functions.of(database);
    return decide({ ...batch, functions }, session, this.cluster, this.context.clock.nowMs());
  }

  count(reason: ReadReason | "reads-shed"): void {
    this.counts.set(reason, (this.counts.get(reason) ?? 0) + 1);
  }

  /** A replica has refused these although they looked like reads. */
  refused(plans: readonly TextPlan[], database: string): void {
    const calling = plans.filter(({ functions }) => functions.length > 0);
    for (const { text } of calling.length > 0 ? calling : plans) this.#writers.add(text);
    this.functions.reload(database);
  }

  /** There is no confirmed primary: nobody is asked for its position, which would be that of a deposed one. */
  isHeld = false;

  // --- the view ---------------------------------------------------------------------------------------------------

  update(view: ClusterView): void {
    const primary = view.servers.find(({ name }) => name === view.primary);
    if (primary?.name !== this.#primary?.name || primary?.timeline !== this.#primary?.timeline)
      this.#primaryChanged();
    this.#primary = primary;
    const before = this.#replicas;
    const servers = view.servers.filter(({ role, name }) => role === "replica" && name !== view.primary);
    this.#replicas = servers.map((server) => {
      const replica = before.find(({ name }) => name === server.name) ?? new Replica(server);
      replica.server = server;
      return replica;
    });
    this.#watchServers(primary === undefined ? servers : [primary, ...servers]);
    for (const pool of this.#pools.values()) pool.targetChanged();
    this.#nextMs = 0;
    this.context.wheel.schedule(this.#timer, 1);
  }

  #primaryChanged(): void {
    this.epoch++;
    this.#positions.clear();
    this.#identity = undefined;
    this.#primaryMonitor = undefined;
    for (const replica of this.#replicas) replica.timeline = undefined;
    this.#answerAll();
  }

  #watchServers(servers: readonly ClusterServer[]): void {
    for (const [name, monitor] of this.#monitors) {
      if (servers.some((server) => server.name === name)) continue;
      monitor.stop();
      this.#monitors.delete(name);
    }
    for (const server of servers) {
      const monitor = this.#monitors.get(server.name);
      if (monitor === undefined) this.#monitors.set(server.name, this.#monitorOf(server));
      else monitor.update(server);
    }
    this.#primaryMonitor = this.#monitors.get(this.#primary?.name ?? "");
  }

  #monitorOf(server: ClusterServer): Monitor {
    const { name } = server;
    const { user, database } = this.settings.monitor;
    const isPrimary = (): boolean => name === this.#primary?.name;
    const replicaOf = (): Replica | undefined => this.#replicas.find((replica) => replica.name === name);
    return new Monitor(this.context, server, {
      credentials: (parameters) => this.host.credentials(user, database, parameters),
      answered: (rows, askedMs) => {
        if (isPrimary()) this.#primaryAnswered(rows, askedMs);
        else this.#replicaAnswered(replicaOf(), rows);
      },
      identified: (identity) => {
        if (isPrimary()) this.#identity = identity;
        else replicaOf()?.identified(identity);
        for (const replica of this.#replicas) replica.compareWith(this.#identity);
      },
      opened: () => {
        if (!isPrimary()) this.#monitors.get(name)?.ask(REPLICA_SQL);
        else if (this.#asking.length === 0) this.#askPrimary();
      },
      lost: (isSilent) => {
        if (isPrimary()) this.#answerAll();
        else this.#replicaLost(replicaOf(), isSilent);
      },
    });
  }

  /** One that is silent keeps its connections open: they are cut, and what runs on them runs elsewhere. */
  #replicaLost(replica: Replica | undefined, isSilent: boolean): void {
    if (replica === undefined) return;
    replica.isUp = false;
    replica.timeline = undefined;
    for (const [key, pool] of this.#pools)
      if (isSilent && key.startsWith(`${replica.name}\0`))
        pool.cut(routerError("server-lost", "it is silent"));
    this.#wake();
  }

  // --- positions --------------------------------------------------------------------------------------------------

  /** Every interval; while reads wait, every tick of the wheel, in case no answer wakes them. */
  #tick(): void {
    const nowMs = this.context.clock.nowMs();
    const intervalMs = this.settings.intervalMs ?? INTERVAL_MS;
    if (nowMs >= this.#nextMs) {
      this.#nextMs = nowMs + intervalMs;
      this.#askServers();
    }
    if (this.#watches.size > 0) this.#wake();
    this.context.wheel.schedule(this.#timer, this.#watches.size > 0 ? 1 : this.#nextMs - nowMs);
  }

  #askServers(): void {
    const { timeline } = this.cluster;
    for (const [name, monitor] of this.#monitors) {
      const replica = this.#replicas.find((one) => one.name === name);
      monitor.identify(replica === undefined ? this.#identity === undefined : replica.timeline !== timeline);
      if (replica !== undefined) monitor.ask(REPLICA_SQL);
    }
    this.#askPrimary(PRIMARY_SQL_FULL);
  }

  /** The primary's position, asked for after this call; undefined when it cannot be had. */
  position(answer: Ask): void {
    this.#askNext.push(answer);
    if (this.#asking.length === 0) this.#askPrimary();
  }

  #askPrimary(sql: string = PRIMARY_SQL): void {
    if (this.isHeld) return this.#answerAll();
    if (this.#asking.length > 0) return;
    this.#asking = this.#askNext.length > 0 ? this.#askNext : [() => {}];
    this.#askNext = [];
    if (this.#primaryMonitor?.ask(sql) !== true) this.#answerAll();
  }

  #primaryAnswered(rows: ControlRows | undefined, askedMs: number): void {
    const position = primaryPosition(rows);
    if (position !== undefined) {
      this.#isCommitOff = position.isCommitOff;
      this.#isSetElsewhere = position.isSetElsewhere ?? this.#isSetElsewhere;
      const lsn = this.commitsUnwaited ? position.inserted : position.flushed;
      this.#positions.add({ lsn, atMs: askedMs });
      for (const replica of this.#replicas) this.#measure(replica);
    }
    const asking = this.#asking;
    this.#asking = [];
    if (this.#askNext.length > 0) this.#askPrimary();
    for (const answer of asking) answer(position);
  }

  #answerAll(): void {
    const asking = [...this.#asking, ...this.#askNext];
    this.#asking = [];
    this.#askNext = [];
    for (const answer of asking) answer(undefined);
  }

  #replicaAnswered(replica: Replica | undefined, rows: ControlRows | undefined): void {
    const [row] = rows ?? [];
    const replayed = parseLsn(row?.[0] ?? "");
    if (replica === undefined || row === undefined) return;
    if (replayed === undefined || row[1] !== "t") {
      replica.isUp = true;
      replica.isDiverged = true;
    } else {
      replica.answered(replayed, this.context.clock.nowMs());
      this.#measure(replica);
    }
    this.#wake();
    if (this.#watches.size > 0) this.#monitors.get(replica.name)?.ask(PACED_SQL);
  }

  #measure(replica: Replica): void {
    replica.measure(this.#positions, this.#limits, this.context.clock.nowMs());
  }

  // --- waiting for replicas ---------------------------------------------------------------------------------------

  /** Calls `over` when a replica that may be read has replayed `lsn`, or at `untilMs` (then true). */
  watch(lsn: Lsn, untilMs: number, over: (isWaitOver: boolean) => void): void {
    this.#watches.add({ lsn, untilMs, over });
    if (this.#watches.size > 1) return;
    for (const { name } of this.#replicas) this.#monitors.get(name)?.ask(REPLICA_SQL);
    this.context.wheel.schedule(this.#timer, 1);
  }

  #wake(): void {
    if (this.#watches.size === 0) return;
    const nowMs = this.context.clock.nowMs();
    const { timeline } = this.cluster;
    let reached = -1n;
    for (const replica of this.#replicas)
      if (replica.replayed > reached && replica.unreadable(timeline, nowMs) === undefined)
        reached = replica.replayed;
    this.#watches.wake(reached, nowMs);
  }

  // --- pools ------------------------------------------------------------------------------------------------------

  /** The connections to a replica for the user and database of `primary`. */
  poolOf(primary: Pool, replica: Replica): Pool {
    const key = `${replica.name}\0${primary.database}\0${primary.user}`;
    const known = this.#pools.get(key);
    if (known !== undefined) return known;
    const { name } = replica;
    const pool = new Pool(
      primary.database,
      primary.user,
      primary.settings,
      {
        server: `replica ${name}`,
        address: () => this.#replicas.find((one) => one.name === name && one.server.eligible)?.server,
        credentials: (user, database) => this.host.credentials(user, database),
        refusesAtOnce: true,
      },
      this.context,
    );
    this.#pools.set(key, pool);
    return pool;
  }

  /** A connection to it failed. */
  failed(replica: Replica, error: ErrorReply): void {
    replica.failed(this.context.clock.nowMs());
    this.context.log.warn("replica-failed", { server: replica.name, error: error.message });
  }

  stop(): void {
    this.context.wheel.cancel(this.#timer);
    for (const monitor of this.#monitors.values()) monitor.stop();
    for (const pool of this.#pools.values()) pool.stop();
    this.functions.stop();
  }
}
