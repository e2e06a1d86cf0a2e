/**
 * Purges on their way to the other installations of the site, and from them: one line to each, which sends what is due, takes
 * the acknowledgement, and tries again for as long as it takes.
 *
 *   purge -> journal (durable) -> here -> shields -> edges, and here once more
 *
 * This installation is a receiver of its own log as well, as an edge: what was fetched from a shield between the purge here and
 * the one there goes again. Rules of who gets what when are in edge/purge/delivery.ts, those of a receiver in propagation.ts.
 */
import type { Cancel, Clock, Random, Scheduler } from "../base/index.ts";
import type { EdgeConfig, EdgeRole } from "../config/index.ts";
import {
  BATCH_PURGES_MAX,
  Delivery,
  type Due,
  type PurgeBatch,
  type PurgeJson,
  type Repeat,
  receive,
  SHIELD_WAIT_MS,
} from "../edge/index.ts";
import type { EdgeAcknowledgement, EdgeStatus, PurgeReceipt } from "./api.ts";
import type { EdgeAnswer, sendBatch } from "./edge-client.ts";
import type { PurgeJournal } from "./purge-journal.ts";

/** Of entries in one batch: the receiver takes bodies of 1 MiB, and an entry may be nearly as large. */
const BATCH_BYTES_MAX = 256 * 1024;

/** Largest purge that is passed on; a hundred URLs of the longest are less. */
export const ORDER_BYTES_MAX: number = 900 * 1024;

/** Pauses of a line after a failure, doubled from one to the next. */
const RETRY_MIN_MS = 100;
const RETRY_MAX_MS = 5_000;

/** How often a receiver that has everything is asked whether it still has: one that was restored from a copy has not. */
const ASK_MS = 10_000;

/** Purges that are repeated one by one for a shield that was late; more are repeated as one of everything. */
const REPEATS_MAX = 100;

/** Installations whose logs are taken, in all: far more than a site has. */
const SENDERS_MAX = 1024;

const EVERYTHING: PurgeJson = { everything: true };

/** What it works with. */
export interface PropagationOptions {
  readonly journal: PurgeJournal;
  /** Carries purges out in this installation's cache; `from` is undefined for its own. False when that is not possible now. */
  readonly apply: (
    purges: readonly PurgeJson[],
    from: string | undefined,
    number: number,
  ) => Promise<boolean>;
  readonly send: typeof sendBatch;
  readonly clock: Clock;
  readonly scheduler: Scheduler;
  readonly random: Random;
}

/** The line to one receiver. */
interface Line {
  readonly name: string;
  readonly send: (batch: PurgeBatch) => Promise<EdgeAnswer>;
  isBusy: boolean;
  isGone: boolean;
  pauseMs: number;
  problem: string;
  cancel: Cancel;
}

/** Purges that were repeated, and the entry from which on they are. */
interface Repeated {
  readonly from: number;
  readonly to: number;
  by: number;
}

export class Propagation {
  readonly #options: PropagationOptions;
  readonly #journal: PurgeJournal;
  readonly #delivery: Delivery;
  readonly #lines = new Map<string, Line>();
  #edges: readonly EdgeConfig[] = [];
  #own = "";
  #repeated: Repeated[] = [];
  readonly #watchers = new Set<() => void>();
  /** Appending, and taking what others send: one at a time. */
  #turn: Promise<unknown> = Promise.resolve();

  constructor(options: PropagationOptions) {
    this.#options = options;
    this.#journal = options.journal;
    this.#delivery = new Delivery(options.journal.head, options.clock.nowMs());
  }

  /** Whether there is anybody to tell. */
  get isActive(): boolean {
    return this.#edges.length > 0;
  }

  /** The installations of the config, and the name of this one among them. Lines to those that stay go on. */
  async setEdges(own: string | undefined, edges: readonly EdgeConfig[]): Promise<void> {
    if (edges.length > 0 && this.#journal.epoch === "") await this.#inTurn(() => this.#renew());
    const before = new Map(this.#edges.map((edge) => [edge.name, JSON.stringify(edge)]));
    const isSame = ({ name, ...edge }: EdgeConfig): boolean =>
      before.get(name) === JSON.stringify({ name, ...edge });
    const stays = new Set(own === this.#own ? [own, ...edges.filter(isSame).map(({ name }) => name)] : []);
    for (const line of this.#lines.values())
      if (edges.length === 0 || !stays.has(line.name)) this.#drop(line);
    this.#edges = edges;
    this.#own = own ?? "";
    const roles = new Map(edges.map(({ name, role }) => [name, role]));
    this.#delivery.setReceivers(edges.length === 0 ? new Map() : roles.set(this.#own, "edge"));
    if (edges.length === 0) return;
    for (const edge of edges) this.#open(edge.name, (batch) => this.#options.send(edge, this.#own, batch));
    this.#open(this.#own, (batch) => this.#sendHere(batch));
    this.#later(SHIELD_WAIT_MS + 1);
    this.#wake();
  }

  /** Appends a purge, carries it out by `here`, and sets it on its way. What `here` gave, and the number of the entry. */
  purge<T>(
    order: PurgeJson,
    here: () => Promise<T>,
  ): Promise<{ readonly number: number; readonly result: T }> {
    return this.#inTurn(async () => {
      const number = await this.#journal.append(order);
      try {
        return { number, result: await here() };
      } finally {
        this.#appended(number, false);
      }
    });
  }

  /** Who has acknowledged the entry, as soon as all have, or when so much time has passed. */
  settled(number: number, waitMs: number): Promise<readonly EdgeAcknowledgement[]> {
    const { promise, resolve } = Promise.withResolvers<readonly EdgeAcknowledgement[]>();
    const finish = (): void => {
      this.#watchers.delete(look);
      cancel();
      resolve(this.#edges.map((edge) => this.#acknowledgement(edge, number)));
    };
    const look = (): void => {
      if (this.#isSettled(number)) finish();
    };
    const cancel = this.#options.scheduler.after(waitMs, finish);
    this.#watchers.add(look);
    look();
    return promise;
  }

  /** Takes a batch of another installation's log. Undefined when it cannot be carried out now, or there are too many. */
  async take(from: string, batch: PurgeBatch): Promise<PurgeReceipt | undefined> {
    return this.#inTurn(() => this.#take(from, batch));
  }

  status(): readonly EdgeStatus[] {
    const nowMs = this.#options.clock.wallMs();
    return this.#edges.map(({ name, role }) => {
      const acked = this.#delivery.acked(name);
      const lag = acked === undefined ? this.#delivery.head : Math.max(0, this.#delivery.head - acked);
      const oldest = Math.max(this.#journal.oldest, (acked ?? 0) + 1);
      const sinceMs = lag === 0 ? undefined : this.#journal.atMs(oldest);
      const problem = this.#lines.get(name)?.problem ?? "";
      const lagMs = sinceMs === undefined ? 0 : Math.max(0, nowMs - sinceMs);
      return { edge: name, role, acknowledged: acked ?? null, lag, lagMs, problem };
    });
  }

  /** Number of the latest entry. */
  get head(): number {
    return this.#delivery.head;
  }

  /** Ends all lines, and waits for what is being written. */
  async stop(): Promise<void> {
    for (const line of this.#lines.values()) this.#drop(line);
    await this.#turn.catch(() => {}); // whoever began it was told
  }

  // --- lines --------------------------------------------------------------------------------------------------

  #open(name: string, send: Line["send"]): void {
    if (this.#lines.has(name)) return;
    const line = { name, send, isBusy: false, isGone: false, pauseMs: 0, problem: "", cancel: () => {} };
    this.#lines.set(name, line);
  }

  #drop(line: Line): void {
    line.isGone = true;
    line.cancel();
    this.#lines.delete(line.name);
  }

  /** Something is new: each line looks whether that is for it. One that pauses after a failure goes on pausing. */
  #wake(): void {
    for (const line of this.#lines.values()) if (line.pauseMs === 0) void this.#run(line);
    for (const look of this.#watchers) look();
  }

  async #run(line: Line): Promise<void> {
    if (line.isBusy || line.isGone) return;
    line.isBusy = true;
    line.cancel();
    let goesWell = true;
    for (let due = this.#due(line); due !== undefined && goesWell && !line.isGone; due = this.#due(line)) {
      goesWell = await this.#exchange(line, due);
      if (!goesWell) break;
    }
    line.isBusy = false;
    if (line.isGone) return;
    line.pauseMs = goesWell ? 0 : Math.min(RETRY_MAX_MS, Math.max(RETRY_MIN_MS, line.pauseMs * 2));
    const jitter = 0.75 + this.#options.random() / 2;
    line.cancel = this.#options.scheduler.after(goesWell ? ASK_MS : line.pauseMs * jitter, () =>
      this.#again(line),
    );
  }

  #due({ name }: Line): Due | undefined {
    return this.#delivery.due(name, this.#options.clock.nowMs());
  }

  /** A pause is over, or it is time to ask. */
  #again(line: Line): void {
    if (line.pauseMs > 0 || this.#due(line) !== undefined) return void this.#run(line);
    const acked = this.#delivery.acked(line.name) ?? 0;
    line.isBusy = true;
    void this.#exchange(line, { from: acked + 1, to: acked }).then((goesWell) => {
      line.isBusy = false;
      if (!goesWell) line.pauseMs = RETRY_MIN_MS;
      void this.#run(line);
    });
  }

  /** One batch and its receipt; false when that failed. */
  async #exchange(line: Line, { from, to }: Due): Promise<boolean> {
    const journal = this.#journal;
    const first = Math.max(from, journal.oldest);
    const bounds = { countMax: BATCH_PURGES_MAX, bytesMax: BATCH_BYTES_MAX };
    const purges = journal.slice(first, to, bounds).map(({ order }) => order);
    const batch = {
      epoch: journal.epoch,
      first: purges.length === 0 ? Math.max(first, 1) : first,
      purges,
      oldest: journal.oldest,
      head: to,
    };
    const answer = await line.send(batch);
    if (line.isGone) return false;
    if (answer.kind === "problem") {
      line.problem = answer.problem;
      return false;
    }
    line.problem = "";
    const before = this.#delivery.acked(line.name);
    await this.#receipt(line, answer.receipt);
    if (
      before !== undefined &&
      purges.length > 0 &&
      answer.receipt.kind === "take" &&
      answer.receipt.number <= before
    )
      line.problem = "it does not take what it is sent";
    return line.problem === "";
  }

  async #receipt({ name }: Line, { kind, number }: PurgeReceipt): Promise<void> {
    if (kind === "ahead") return this.#inTurn(() => this.#renew());
    const repeat = this.#delivery.acknowledged(
      name,
      number,
      this.#options.clock.nowMs(),
      kind === "drop-all",
    );
    if (repeat !== undefined) await this.#repeat(repeat);
    this.#wake();
  }

  /** A receiver has entries that this log has not: what they were is lost, and their numbers must not be used again. */
  async #renew(): Promise<void> {
    await this.#journal.renew();
    this.#appended(this.#journal.head, false);
  }

  /** Appends once more what edges may have got back from a shield that was late. */
  async #repeat(repeat: Repeat): Promise<void> {
    const journal = this.#journal;
    const range = repeat === "everything" ? { from: 1, to: this.#delivery.head } : repeat;
    const repeated: Repeated = { ...range, by: Number.POSITIVE_INFINITY };
    this.#repeated = [...this.#repeated.slice(-15), repeated];
    const entries = journal.slice(range.from, range.to, {
      countMax: REPEATS_MAX + 1,
      bytesMax: Number.POSITIVE_INFINITY,
    });
    const orders = new Map(entries.map(({ order }) => [JSON.stringify(order), order]));
    const isWhole = repeat !== "everything" && range.from >= journal.oldest && entries.length <= REPEATS_MAX;
    for (const order of isWhole ? orders.values() : [EVERYTHING]) {
      await this.#inTurn(async () => this.#appended(await journal.append(order, true), true));
    }
    repeated.by = journal.head;
  }

  #appended(number: number, isRepeat: boolean): void {
    this.#delivery.appended(number, this.#options.clock.nowMs(), isRepeat);
    this.#later(SHIELD_WAIT_MS + 1);
    this.#wake();
  }

  /** Looks again when edges are no longer held up. */
  #later(ms: number): void {
    this.#options.scheduler.after(ms, () => this.#wake());
  }

  // --- acknowledgements ---------------------------------------------------------------------------------------

  #acknowledgement({ name, role }: EdgeConfig, number: number): EdgeAcknowledgement {
    const acknowledged = this.#hasAcknowledged(name, role, number);
    const { problem = "" } = this.#lines.get(name) ?? {};
    const waits = "it has not answered yet";
    const isHeld = this.#delivery.released < number || this.#delivery.isOwed(number);
    const held = role === "edge" && isHeld ? "it waits for a shield" : waits;
    return { edge: name, role, acknowledged, problem: acknowledged ? "" : problem || held };
  }

  /** An edge has not while it may have got back what it purged. */
  #hasAcknowledged(name: string, role: EdgeRole, number: number): boolean {
    if (role === "edge" && this.#delivery.isOwed(number)) return false;
    const needed = this.#repeated.reduce(
      (most, { from, to, by }) => (number >= from && number <= to ? Math.max(most, by) : most),
      number,
    );
    return (this.#delivery.acked(name) ?? -1) >= needed;
  }

  #isSettled(number: number): boolean {
    const others = this.#edges.every(({ name, role }) => this.#hasAcknowledged(name, role, number));
    return others && this.#hasAcknowledged(this.#own, "edge", number);
  }

  // --- receiving ----------------------------------------------------------------------------------------------

  async #take(from: string, batch: PurgeBatch): Promise<PurgeReceipt | undefined> {
    const position = this.#journal.position(from);
    if (position === undefined && this.#journal.senders >= SENDERS_MAX) return undefined;
    const receipt = receive(position, batch);
    const { kind } = receipt;
    const { number } = receipt.position;
    const purges = kind === "drop-all" ? [EVERYTHING] : kind === "take" ? receipt.purges : [];
    if (purges.length === 0) return { kind, number };
    if (!(await this.#options.apply(purges, from === this.#own ? undefined : from, number))) return undefined;
    await this.#journal.setPosition(from, receipt.position);
    return { kind, number };
  }

  /** To this installation itself. */
  async #sendHere(batch: PurgeBatch): Promise<EdgeAnswer> {
    try {
      const receipt = await this.take(this.#own, batch);
      return receipt === undefined
        ? { kind: "problem", problem: "cache-busy" }
        : { kind: "receipt", receipt };
    } catch (problem) {
      return { kind: "problem", problem: String(problem) };
    }
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const run = this.#turn.then(work);
    this.#turn = run.catch(() => {}); // the caller is told; the next one has its turn
    return run;
  }
}
