/**
 * Purging on behalf of people: a request of the admin API, carried out on the memory that all workers share, so that
 * it holds for every one of them when the answer goes out; and a record of it.
 */
import { type Clock, type LogFields, type Scheduler, systemClock, systemScheduler } from "../base/index.ts";
import { formatProblem, type Snapshot } from "../config/index.ts";
import {
  describeItem,
  describePurge,
  logPortions,
  PURGE_ITEMS_MAX,
  type Purge,
  type PurgeContext,
  type PurgeItem,
  type PurgeJson,
  PurgeLog,
  type PurgeRequest,
  purgesOf,
  readPurgeRequest,
  type Store,
} from "../edge/index.ts";
import type { DiskTier } from "../edge/io/index.ts";
import type { AdminAnswer } from "./admin-server.ts";
import type * as api from "./api.ts";
import { hasCache, type KeyRules, keyRulesOf } from "./cache-key-rules.ts";
import { ORDER_BYTES_MAX, type Propagation } from "./propagation.ts";
import { type RateLimit, rateLimit } from "./rate-limit.ts";

/** Far more than people and publishing systems ask for, and hardly felt. A count costs this for each item. */
const REQUESTS_PER_SECOND = 50;

/** What may come at once: a request that counts all that it names. */
const REQUESTS_BURST = PURGE_ITEMS_MAX;

/** A purge that waits for the store's lock tries again this often, this long apart: ten times what any holder needs. */
const TRIES_MAX = 50;
const TRY_AGAIN_MS = 2;

/** The disk tier below the store: it purges both. */
type DiskPurges = Pick<DiskTier, "purge" | "purgesOnDisk">;

/** What is purged, and who is told. */
export interface PurgerOptions {
  readonly plane: {
    readonly cache: Store | undefined;
    readonly disk?: DiskPurges | undefined;
    latest(): Snapshot | undefined;
  };
  /** Puts a record among the controller's events and into its log. */
  readonly note: (kind: string, message: string, fields: LogFields) => void;
  /** The way to the other installations of the site; absent without any. */
  readonly propagation?: () => Propagation | undefined;
  readonly clock?: Clock;
  readonly scheduler?: Scheduler;
}

export class Purger {
  readonly #plane: PurgerOptions["plane"];
  readonly #note: PurgerOptions["note"];
  readonly #propagation: () => Propagation | undefined;
  readonly #clock: Clock;
  readonly #scheduler: Scheduler;
  readonly #limit: RateLimit;
  readonly #log = new PurgeLog();
  #rules: { readonly snapshot: Snapshot; readonly keyRules: KeyRules } | undefined;

  constructor(options: PurgerOptions) {
    const { plane, note, clock = systemClock, scheduler = systemScheduler } = options;
    this.#propagation = options.propagation ?? (() => undefined);
    this.#plane = plane;
    this.#note = note;
    this.#clock = clock;
    this.#scheduler = scheduler;
    this.#limit = rateLimit({ perSecond: REQUESTS_PER_SECOND, burst: REQUESTS_BURST, clock });
  }

  /**
   * Carries out the request that the body of a call is, and has it carried out by the other installations of the site; waits at
   * most so long for them to acknowledge it.
   */
  async purge(body: Readonly<Record<string, unknown>>, waitMs = 0): Promise<AdminAnswer> {
    const reading = readPurgeRequest(body);
    if (reading.kind === "problems") return wrong(reading.problems.map(formatProblem));
    const { request } = reading;
    const propagation = this.#propagation();
    const isAlone = propagation?.isActive !== true || request.dryRun;
    const context = this.#context();
    if (context === "no-cache" && isAlone) return NO_CACHE;
    if (context === "unavailable") return UNAVAILABLE;
    const pauseMs = this.#limit(counts(request) ? request.items.length : 1);
    if (pauseMs > 0) return tooMany(pauseMs);
    const here = async (): Promise<AdminAnswer> =>
      context === "no-cache" ? this.#nothingHere(request) : this.#carryOut(request, context);
    return isAlone ? here() : this.#everywhere(propagation, request, { here, waitMs });
  }

  /** Carries out what another installation was asked for, or this one before (`from` undefined); false when that is not possible now. */
  async apply(purges: readonly PurgeJson[], from: string | undefined, number: number): Promise<boolean> {
    const context = this.#context();
    if (context === "unavailable") return false;
    for (const purge of purges) {
      const reading = readPurgeRequest(purge);
      // Of a later version, perhaps: what it names is not known here.
      const items = reading.kind === "request" ? reading.request.items : EVERYTHING;
      const soft = reading.kind === "request" && reading.request.soft;
      let sequence: number | "busy" = 0;
      if (context !== "no-cache")
        sequence = await this.#purgeAll(
          context.store,
          items.flatMap((item) => purgesOf(item, context, !soft)),
        );
      if (sequence === "busy") return false;
      if (from !== undefined) this.#record(items, { sequence, soft, from, number });
    }
    return true;
  }

  /** What there is to purge in. */
  #context(): (PurgeContext & { readonly store: Store }) | "no-cache" | "unavailable" {
    const { cache: store } = this.#plane;
    const snapshot = this.#plane.latest();
    if (snapshot === undefined || !hasCache(snapshot)) return "no-cache";
    return store === undefined ? "unavailable" : { store, keyRules: this.#keyRules(snapshot) };
  }

  /** Here, and at all others. */
  async #everywhere(
    propagation: Propagation,
    request: PurgeRequest,
    { here, waitMs }: { readonly here: () => Promise<AdminAnswer>; readonly waitMs: number },
  ): Promise<AdminAnswer> {
    const order = orderOf(request);
    if (JSON.stringify(order).length > ORDER_BYTES_MAX) return TOO_LARGE;
    try {
      const { number, result } = await propagation.purge(order, here);
      if (result.kind === "error") return result;
      const edges = await propagation.settled(number, waitMs);
      return { kind: "ok", data: { ...(result.data as api.PurgeResult), number, edges } };
    } catch (problem) {
      this.#note("purge-log-unavailable", `a purge could not be logged: ${String(problem)}`, {});
      return NOT_LOGGED;
    }
  }

  #nothingHere({ items, soft, dryRun }: PurgeRequest): AdminAnswer {
    const purged = items.map((item) => ({ what: describeItem(item) }));
    return { kind: "ok", data: { sequence: 0, soft, dryRun, purged } satisfies api.PurgeResult };
  }

  /** The purges after the one with this sequence, oldest first. */
  records(after: number): readonly api.PurgeRecord[] {
    return this.#log
      .list(after)
      .map(({ atMs, ...record }) => ({ at: new Date(atMs).toISOString(), ...record }));
  }

  async #carryOut(request: PurgeRequest, context: PurgeContext & { store: Store }): Promise<AdminAnswer> {
    const { items, soft, dryRun } = request;
    const { store } = context;
    const todo = items.map((item) => ({ item, purges: purgesOf(item, context, !soft) }));
    const purged: api.PurgedItem[] = [];
    let sequence = store.purgeSequence;
    for (const { item, purges } of todo) {
      // Counted before: afterwards there is nothing to be counted.
      const matched = counts(request) ? await this.#count(store, purges) : undefined;
      const done = dryRun ? sequence : await this.#purgeAll(store, purges);
      if (done === "busy") {
        if (purged.length > 0) this.#record(items.slice(0, purged.length), { sequence, soft });
        return busy(item);
      }
      sequence = done;
      purged.push({ what: describeItem(item), ...(matched === undefined ? {} : { matched }) });
    }
    if (!dryRun) this.#record(items, { sequence, soft });
    // Only then would a crash of the machine not bring back what lies on disk.
    if (!dryRun && (await this.#plane.disk?.purgesOnDisk()) === false)
      this.#note("cache-purge-not-on-disk", NOT_ON_DISK, { sequence });
    return { kind: "ok", data: { sequence, soft, dryRun, purged } satisfies api.PurgeResult };
  }

  /** The sequence of the last one. To purge once more what was purged does no harm. */
  async #purgeAll(store: Store, purges: readonly Purge[]): Promise<number | "busy"> {
    const tiers = this.#plane.disk ?? store;
    let sequence = store.purgeSequence;
    for (const purge of purges) {
      let done = tiers.purge(purge);
      for (let tries = 1; done === "busy" && tries < TRIES_MAX; tries++) {
        await this.#pause(TRY_AGAIN_MS);
        done = tiers.purge(purge);
      }
      if (done === "busy") return "busy";
      sequence = done;
    }
    return sequence;
  }

  /** Looks at every stored response, once for each purge; between two of them the controller does other work. */
  async #count(store: Store, purges: readonly Purge[]): Promise<number> {
    let sum = 0;
    for (const purge of purges) {
      sum += store.countConcerned(purge);
      await this.#pause(0);
    }
    return sum;
  }

  /** `from`: the installation that was asked, and the number of the entry in its log. */
  #record(
    items: readonly PurgeItem[],
    { sequence, soft, ...source }: { sequence: number; soft: boolean; from?: string; number?: number },
  ): void {
    const what = items.map(describeItem);
    const record = { sequence, atMs: this.#clock.wallMs(), soft, what };
    this.#log.add(record);
    const origin = source.from === undefined ? "" : `, number ${source.number} of ${source.from}`;
    for (const portion of logPortions(what)) {
      const part = { ...record, what: portion };
      this.#note("cache-purged", `${describePurge(part)}${origin}`, {
        sequence,
        soft,
        what: portion,
        ...source,
      });
    }
  }

  #keyRules(snapshot: Snapshot): KeyRules {
    if (this.#rules?.snapshot !== snapshot) this.#rules = { snapshot, keyRules: keyRulesOf(snapshot) };
    return this.#rules.keyRules;
  }

  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => void this.#scheduler.after(ms, resolve));
  }
}

/** The request as JSON, for whoever is to carry it out as well. */
function orderOf({ items, soft }: PurgeRequest): PurgeJson {
  const texts = (kind: PurgeItem["kind"]): readonly string[] =>
    items.filter((item) => item.kind === kind).map(({ text }) => text);
  if (items.some(({ kind }) => kind === "everything")) return { everything: true, soft };
  return { urls: texts("url"), tags: texts("tag"), prefixes: texts("prefix"), soft };
}

const EVERYTHING: readonly PurgeItem[] = [{ kind: "everything", text: "" }];

function counts({ dryRun, count }: PurgeRequest): boolean {
  return dryRun || count;
}

const NOT_ON_DISK =
  "the purge is in force, but the disk of gateway.cache.disk did not take it: a crash of the machine could bring back what was purged";

const NO_CACHE: AdminAnswer = {
  kind: "error",
  status: 409,
  code: "no-cache",
  message: "no rule has a cache, so there is nothing to purge",
  mend: "add `cache: {}` to a rule that forwards, and `tenfold reload`",
};

const TOO_LARGE: AdminAnswer = {
  kind: "error",
  status: 400,
  code: "bad-purge",
  message: `the request is larger than ${ORDER_BYTES_MAX} bytes, which is the most that can be passed on`,
  mend: "nothing was purged; name fewer things in one request",
};

const NOT_LOGGED: AdminAnswer = {
  kind: "error",
  status: 503,
  code: "purge-log-unavailable",
  message: "the log of purges cannot be written, so the other installations cannot be told",
  mend: "nothing was purged; free space on the disk of the state directory, and send the request again",
};

const UNAVAILABLE: AdminAnswer = {
  kind: "error",
  status: 503,
  code: "cache-unavailable",
  message: "there is no memory for the cache: the gateway serves without one, and nothing is kept",
  mend: "free the space, or lower gateway.cache.memory, and `tenfold reload`",
};

function wrong(problems: readonly string[]): AdminAnswer {
  const [first = "", ...more] = problems;
  const message = more.length === 0 ? first : `${problems.length} problems: ${problems.join(" · ")}`;
  return {
    kind: "error",
    status: 400,
    code: "bad-purge",
    message,
    mend: "nothing was purged; mend the request and send it again",
    problems,
  };
}

function tooMany(waitMs: number): AdminAnswer {
  return {
    kind: "error",
    status: 429,
    code: "too-many-purges",
    message: `more than ${REQUESTS_PER_SECOND} purges a second (a count is one for each item); nothing was purged`,
    mend: `send it again in ${waitMs} ms, up to ${PURGE_ITEMS_MAX} things in one request`,
  };
}

function busy(item: PurgeItem): AdminAnswer {
  return {
    kind: "error",
    status: 503,
    code: "cache-busy",
    message: `${describeItem(item)} could not be purged: the store's lock is held`,
    mend: "send the request again; what it had purged already is purged once more, which does no harm",
  };
}
