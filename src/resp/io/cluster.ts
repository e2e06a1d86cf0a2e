/**
 * A client of a Redis Cluster: each request goes to the primary of its key's slot, and follows the cluster's redirections.
 *
 *   call -> slot -> primary -> reply
 *                      ^  MOVED (the map was old), ASK (the slot is under way), TRYAGAIN, CLUSTERDOWN, LOADING, not connected
 *                      +--- again, while the call's deadline and its bound of attempts allow
 *
 * All of these mean that the request was not carried out, so that sending it again is harmless. A request whose connection
 * was lost after it was sent is not sent again, as with one server. Requests without a key go to one of the primaries.
 */
import { type Clock, type Scheduler, systemClock, systemScheduler } from "../../base/index.ts";
import {
  firstKeyOf,
  type NodeAddress,
  nameOf,
  parseClusterUrl,
  type Redirection,
  redirectionOf,
  type SlotMap,
  type SplitRequest,
  slotOf,
  splitRequest,
} from "../cluster/index.ts";
import { type Reply, ReplyError } from "../reply.ts";
import type { Request } from "../request.ts";
import { RespClient, type RespClientOptions } from "./client.ts";
import { ClusterNodes } from "./cluster-nodes.ts";
import type { StoreClient } from "./store-client.ts";
import { StoreError } from "./store-error.ts";
import { ASKING, type Decide, Watcher, watchOn } from "./watcher.ts";

/** What a client of a cluster is made of: the options of the client of each node, and a cluster's URL. */
export interface RespClusterOptions extends Omit<RespClientOptions, "onState" | "onPush"> {
  /** `redis-cluster://host:port,host:port`, `rediss-cluster://`, `valkey-cluster://` or `valkeys-cluster://`. */
  readonly url: string;
  /** Called with the first map of slots, and when a slot has another primary. */
  readonly onMap?: (map: SlotMap) => void;
}

const DEADLINE_MS = 1000;
const PENDING_MAX = 10_000;

/** Attempts of one request: a deadline of a second ends before; it is for calls without one. */
const ATTEMPTS_MAX = 32;

/** Pauses between attempts, ms, doubled: a migrated key is there in a few, a failover takes a second and more. */
const PAUSE_MS_MIN = 5;
const PAUSE_MS_MAX = 100;

/** Requests that are carried out in order on one node. */
interface Unit {
  readonly requests: readonly Request[];
  /** Undefined when none of them has a key. */
  readonly slot: number | undefined;
}

/** Where the next attempt goes. */
interface Detour {
  readonly address: NodeAddress;
  readonly isAsking: boolean;
}

export class RespCluster implements StoreClient {
  readonly #nodes: ClusterNodes;
  readonly #watcher: Watcher;
  readonly #clock: Clock;
  readonly #scheduler: Scheduler;
  readonly #deadlineMs: number;
  readonly #pendingMax: number;
  /** Units between two attempts. */
  #paused = 0;
  #isClosed = false;

  /** Begins to connect. Throws a TypeError when the URL is none. */
  constructor({ onMap, ...options }: RespClusterOptions) {
    const url = parseClusterUrl(options.url);
    if (typeof url === "string") throw new TypeError(`the store's URL ${url}`);
    this.#clock = options.clock ?? systemClock;
    this.#scheduler = options.scheduler ?? systemScheduler;
    this.#deadlineMs = options.deadlineMs ?? DEADLINE_MS;
    this.#pendingMax = options.pendingMax ?? PENDING_MAX;
    this.#nodes = new ClusterNodes({ url, client: options, onMap });
    this.#watcher = new Watcher((address) => new RespClient({ ...options, url: url.nodeUrl(address) }));
  }

  /** The map of slots; undefined until the cluster has told it. */
  get map(): SlotMap | undefined {
    return this.#nodes.map;
  }

  /** Asks for the map of slots soon: something said that it may be old. */
  refresh(): void {
    this.#nodes.refresh();
  }

  /**
   * Sends a request and resolves to its reply, as `RespClient.call`. MGET, MSET, DEL, UNLINK, EXISTS and TOUCH may have keys
   * in several slots: they are cut, and not atomic then. Any other such request is refused by the cluster (CROSSSLOT).
   */
  async call(request: Request, deadlineMs: number = this.#deadlineMs): Promise<Reply> {
    const deadlineAtMs = this.#deadlineAt(deadlineMs);
    // The common case, a map that is right, without what the others need.
    const address = this.#direct(request);
    if (address !== undefined) {
      try {
        return await this.#nodes.client(address).call(request, deadlineMs);
      } catch (error) {
        if (!this.#mayTryAgain(error, address)) throw error;
      }
    }
    const reply = await this.#issue(request, deadlineAtMs);
    if (reply instanceof ReplyError) throw reply;
    return reply;
  }

  /**
   * Sends requests together, as `RespClient.pipeline`. Those of one slot are carried out in order; what is between MULTI
   * and EXEC goes where its first key is. Should a slot move meanwhile so that one in the middle is refused and later ones
   * are not, the refusal is its reply (`ReplyError` with code "ASK" or "TRYAGAIN"), for the sake of the order.
   */
  async pipeline(requests: readonly Request[], deadlineMs: number = this.#deadlineMs): Promise<Reply[]> {
    const deadlineAtMs = this.#deadlineAt(deadlineMs);
    const replies: Reply[] = Array.from({ length: requests.length }, () => null);
    await Promise.all(
      unitsOf(requests).map(async ({ indexes, slot }) => {
        const own = indexes.map((index) => requests[index] ?? []);
        const [only] = own;
        const isCut = own.length === 1 && only !== undefined && splitRequest(only) !== undefined;
        const found = isCut
          ? [await this.#issue(only, deadlineAtMs)]
          : await this.#run({ requests: own, slot }, deadlineAtMs);
        indexes.forEach((index, at) => (replies[index] = found[at] ?? null));
      }),
    );
    return replies;
  }

  /** An optimistic transaction on the node of `key`; what is chosen must be in its slot. See `StoreClient.watched`. */
  watched(key: string, decide: Decide): Promise<readonly Reply[] | undefined> {
    const slot = slotOf(key);
    return this.#watcher.run((connection) =>
      this.#attempts(slot, this.#deadlineAt(this.#deadlineMs), async ({ address, isAsking }) => {
        this.#watcher.keep([...(this.#nodes.map?.primaries ?? []), address]);
        try {
          return { value: await watchOn(connection(address), key, decide, isAsking) };
        } catch (error) {
          if (!(error instanceof ReplyError)) throw error;
          return { refusal: error, address };
        }
      }),
    );
  }

  close(): void {
    this.#isClosed = true;
    this.#nodes.close();
    this.#watcher.close();
  }

  #deadlineAt(deadlineMs: number): number {
    return deadlineMs > 0 ? this.#clock.nowMs() + deadlineMs : Number.POSITIVE_INFINITY;
  }

  /** Where a request goes that is in one piece and has a key whose primary is known. */
  #direct(request: Request): NodeAddress | undefined {
    if (request.length > 2 && splitRequest(request) !== undefined) return undefined;
    const key = firstKeyOf(request);
    return key === undefined ? undefined : this.#nodes.primaryOf(slotOf(key));
  }

  /** Whether a request was not carried out and may be sent again; learns from a redirection. */
  #mayTryAgain(error: unknown, address: NodeAddress): boolean {
    if (error instanceof ReplyError) return this.#follow({ refusal: error, address }) !== undefined;
    return error instanceof StoreError && error.code === "not-connected";
  }

  async #issue(request: Request, deadlineAtMs: number): Promise<Reply> {
    const split = splitRequest(request);
    if (split !== undefined) return this.#split(split, deadlineAtMs);
    const key = firstKeyOf(request);
    const unit = { requests: [request], slot: key === undefined ? undefined : slotOf(key) };
    const [reply = null] = await this.#run(unit, deadlineAtMs);
    if (!(reply instanceof ReplyError) || reply.code !== "TRYAGAIN") return reply;
    // Its keys are on both sides of a slot under way; one by one they are found.
    const each = splitRequest(request, true);
    return each === undefined ? reply : this.#split(each, deadlineAtMs);
  }

  async #split({ requests, join }: SplitRequest, deadlineAtMs: number): Promise<Reply> {
    return join(await Promise.all(requests.map((piece) => this.#issue(piece, deadlineAtMs))));
  }

  /** Runs a unit. Resolves to a reply for each of its requests. */
  async #run({ requests, slot }: Unit, deadlineAtMs: number): Promise<readonly Reply[]> {
    const isTransaction = requests.length > 1 && nameOf(requests[0] ?? []) === "MULTI";
    const done: Reply[] = [];
    const isSplittable = requests.length === 1 && splitRequest(requests[0] ?? [], true) !== undefined;
    return this.#attempts(slot, deadlineAtMs, async ({ address, isAsking }) => {
      const rest = requests.slice(done.length);
      const leftMs = deadlineAtMs - this.#clock.nowMs();
      const client = this.#nodes.client(address);
      const waitMs = Number.isFinite(leftMs) ? Math.max(1, leftMs) : 0;
      const replies = isAsking
        ? await askAll(client, rest, isTransaction, waitMs)
        : await client.pipeline(rest, waitMs);
      const refusals = replies.map((reply) => refusalOf(reply, address));
      const first = refusals.findIndex((refusal) => refusal !== undefined);
      const refusal = refusals[first];
      if (refusal === undefined) return { value: [...done, ...replies] };
      if (isTransaction) return { refusal, address };
      const isTail = refusals.slice(first).every((each) => each !== undefined);
      if (!isTail || (isSplittable && refusal.code === "TRYAGAIN")) return { value: [...done, ...replies] };
      done.push(...replies.slice(0, first));
      return { refusal, address, otherwise: () => [...done, ...replies.slice(first)] };
    });
  }

  /**
   * Tries on the slot's primary, and where redirections lead, until there is a value, or time or attempts are over: then the
   * refusal is thrown, or what it makes `otherwise`.
   */
  async #attempts<T>(
    slot: number | undefined,
    deadlineAtMs: number,
    attempt: (detour: Detour) => Promise<Attempted<T>>,
  ): Promise<T> {
    let detour: Detour | undefined;
    for (let attempts = 1; ; attempts++) {
      const address = detour?.address ?? this.#nodes.primaryOf(slot);
      const outcome: Attempted<T> =
        address === undefined
          ? { failure: new StoreError("not-connected", false, "no node has told the slots of the cluster") }
          : // oxlint-disable-next-line no-await-in-loop -- each attempt follows from the one before
            await attempt(detour ?? { address, isAsking: false }).catch(failureFrom);
      if ("value" in outcome) return outcome.value;
      const redirection = this.#follow(outcome);
      detour = redirection?.kind === "ask" ? { address: redirection.address, isAsking: true } : undefined;
      const isOver = attempts >= ATTEMPTS_MAX || this.#isClosed || redirection === undefined;
      // The first hop is made at once; a cluster that sends us round and round is given time.
      const isHop = redirection?.kind !== "wait" && attempts < 3;
      const pauseMs = isHop ? 0 : Math.min(PAUSE_MS_MAX, PAUSE_MS_MIN * 2 ** (attempts - 1));
      if (isOver || this.#clock.nowMs() + pauseMs >= deadlineAtMs) return giveUp(outcome);
      if (this.#paused >= this.#pendingMax) throw new StoreError("too-many-pending", false);
      // oxlint-disable-next-line no-await-in-loop -- as above
      if (pauseMs > 0) await this.#pause(pauseMs);
    }
  }

  /** What to do about an outcome without a value: undefined when nothing helps. */
  #follow(outcome: Exclude<Attempted<unknown>, { value: unknown }>): Redirection | undefined {
    if ("failure" in outcome) {
      this.#nodes.refresh();
      return { kind: "wait" };
    }
    const redirection = redirectionOf(outcome.refusal, outcome.address);
    if (redirection?.kind === "moved") this.#nodes.moved(redirection.slot, redirection.address);
    else if (redirection?.kind === "wait") this.#nodes.refresh();
    return redirection;
  }

  async #pause(ms: number): Promise<void> {
    this.#paused++;
    await new Promise<void>((resolve) => {
      this.#scheduler.after(ms, resolve);
    });
    this.#paused--;
  }
}

/** What an attempt brought. */
type Attempted<T> =
  | { readonly value: T }
  | { readonly refusal: ReplyError; readonly address: NodeAddress; readonly otherwise?: () => T }
  /** The request did not go out. */
  | { readonly failure: StoreError };

/** A failure after which the request may be sent again. Anything else is thrown. */
function failureFrom(error: unknown): { readonly failure: StoreError } {
  if (error instanceof StoreError && error.code === "not-connected") return { failure: error };
  throw error;
}

function giveUp<T>(outcome: Exclude<Attempted<T>, { value: T }>): T {
  if ("failure" in outcome) throw outcome.failure;
  if (outcome.otherwise === undefined) throw outcome.refusal;
  return outcome.otherwise();
}

function refusalOf(reply: Reply, from: NodeAddress): ReplyError | undefined {
  return reply instanceof ReplyError && redirectionOf(reply, from) !== undefined ? reply : undefined;
}

/** Each request with ASKING before it; a transaction with one for all. */
async function askAll(
  client: RespClient,
  requests: readonly Request[],
  isTransaction: boolean,
  deadlineMs: number,
): Promise<Reply[]> {
  if (isTransaction) return (await client.pipeline([ASKING, ...requests], deadlineMs)).slice(1);
  const replies = await client.pipeline(
    requests.flatMap((request) => [ASKING, request]),
    deadlineMs,
  );
  return replies.filter((_, index) => index % 2 === 1);
}

/** Requests by slot, in order; a transaction, and a request that must be cut, is a unit of its own. */
function unitsOf(
  requests: readonly Request[],
): { readonly indexes: number[]; readonly slot: number | undefined }[] {
  const keys = requests.map((request) => firstKeyOf(request));
  const slots = keys.map((key) => (key === undefined ? undefined : slotOf(key)));
  const anySlot = slots.find((slot) => slot !== undefined);
  const units: { indexes: number[]; slot: number | undefined }[] = [];
  const bySlot = new Map<number | undefined, number[]>();
  for (let at = 0; at < requests.length; at++) {
    const request = requests[at] ?? [];
    if (nameOf(request) === "MULTI") {
      const length = requests
        .slice(at)
        .findIndex((each) => nameOf(each) === "EXEC" || nameOf(each) === "DISCARD");
      const end = length < 0 ? requests.length - 1 : at + length;
      const indexes = Array.from({ length: end - at + 1 }, (_, index) => at + index);
      units.push({ indexes, slot: slots.slice(at, end + 1).find((slot) => slot !== undefined) });
      at = end;
      continue;
    }
    // What has no key goes with what has one: TIME is asked of the node whose keys are read.
    const slot = slots[at] ?? anySlot;
    const members = splitRequest(request) === undefined ? bySlot.get(slot) : undefined;
    if (members !== undefined) {
      members.push(at);
      continue;
    }
    const unit = { indexes: [at], slot };
    units.push(unit);
    if (splitRequest(request) === undefined) bySlot.set(slot, unit.indexes);
  }
  return units;
}
