/**
 * How a client's exchange is answered from the cache:
 *
 *   start -> hit | stale -> sent, done
 *         -> miss | revalidate -> a flight: wait -> the response as it comes, or what is stored when it could not
 *         -> around: to a target, as without a cache
 *
 * One object for each exchange, recycled with it.
 */
import {
  afterFailure,
  type CacheResponse,
  type Conditions,
  conditionsFor,
  type Decision,
  decide,
  type FieldLine,
  groupsIn,
  matchesVariant,
  type StoredResponse,
  updateFromHead,
} from "../../../edge/index.ts";
import { METHOD, type ResponseHead, text } from "../../../http/index.ts";
import type { GatewayErrorCode } from "../../errors.ts";
import type { RequestView } from "../../route.ts";
import type { Exchange } from "../exchange.ts";
import type { Plan } from "../plan.ts";
import type { Request } from "../request.ts";
import type { Serving } from "../serving.ts";
import type { CacheKey, Edge } from "./edge.ts";
import type { Fetch, FetchOrder } from "./fetch.ts";
import { Flight, type FlightReader } from "./flight.ts";
import { FlightWriter } from "./flight-writer.ts";
import { HeadedResponse, isSafe, linesOf } from "./messages.ts";
import type { RuleCache } from "./rule-cache.ts";
import { sendStored } from "./stored-answer.ts";

/** How long a client waits for somebody else's fetch before it goes to a target by itself. */
const FOLLOW_MS = 10_000;

/** How soon a request looks again for what another worker fetches. */
const LOOK_AGAIN_MS = 50;

const ALL_DOWN = { allTargetsDown: true };

/** Looks of one request: what it waited for may be of no use to it, or gone when it came. */
const LOOKS_MAX = 3;

/** Failures that mean that there is nobody to ask. */
const UNREACHABLE: readonly GatewayErrorCode[] = [
  "no-target",
  "connect-refused",
  "connect-failed",
  "connect-timeout",
];

export class CachedAnswer implements FlightReader {
  readonly #exchange: Exchange;
  readonly #serving: Serving;
  readonly #request: Request;
  readonly #writer: FlightWriter;
  #plan: Plan | undefined;
  #cache: RuleCache | undefined;
  #key: CacheKey | undefined;
  #fetch: Fetch | undefined;
  /** The fetch is for this request: it takes the response whatever it is. */
  #leads = false;
  #looks = 0;
  /** Soft timeouts that passed without anything to fall back on. */
  #waits = 0;
  /** When the request came, by the clock and by the purges. */
  #startWallMs = 0;
  #startSequence = 0;
  /** Another worker fetches. */
  #isElsewhere = false;
  /** Why there was a fetch: "uri-miss", "stale" … (RFC 9211 §2.2). */
  #forward = "uri-miss";
  #detail = "";

  constructor(exchange: Exchange, serving: Serving, request: Request) {
    this.#exchange = exchange;
    this.#serving = serving;
    this.#request = request;
    this.#writer = new FlightWriter(exchange, serving, request);
  }

  /** Waits for a fetch, or is being sent what it brings. */
  get isReading(): boolean {
    return this.#fetch !== undefined;
  }
  get offset(): number {
    return this.#writer.offset;
  }

  // Set from `start` on.
  get plan(): Plan {
    if (this.#plan === undefined) throw new Error("cache: used before its start");
    return this.#plan;
  }
  get cache(): RuleCache {
    if (this.#cache === undefined) throw new Error("cache: used before its start");
    return this.#cache;
  }
  get #edge(): Edge {
    const { edge } = this.#serving;
    if (edge === undefined) throw new Error("cache: there is none");
    return edge;
  }

  // --- the decision -------------------------------------------------------------------------------------------

  /** Takes the request in the view. False when it goes to a target as without a cache. */
  start(plan: Plan, view: RequestView): boolean {
    const { edge } = this.#serving;
    const { cache } = plan;
    if (edge === undefined || cache === undefined || this.#request.upgrade) return false;
    this.#plan = plan;
    this.#cache = cache;
    this.#startSequence = edge.store.purgeSequence;
    this.#startWallMs = this.#serving.wallMs();
    if (this.#request.hasBody) return this.#around("bypass", "request-body");
    return this.#look(edge, cache, view);
  }

  #look(edge: Edge, cache: RuleCache, view: RequestView): boolean {
    if (this.#looks++ === LOOKS_MAX) return this.#around("bypass", "too-many-looks");
    const stored = edge.look(cache, view);
    if (stored === false) return this.#around("bypass", "key-too-long");
    const nowMs = this.#serving.wallMs();
    const decision = decide(edge.viewed, stored, cache.policy, nowMs);
    switch (decision.kind) {
      case "hit":
      case "stale":
        return this.#serve(edge, decision, stored, nowMs);
      case "revalidate":
        return this.#revalidate(edge, decision, stored, nowMs);
      case "miss":
        return this.#miss(edge, decision.reason, view);
      case "bypass":
        return this.#around(decision.reason === "method" ? "method" : "bypass", decision.reason);
      case "gateway-timeout":
        this.#exchange.replyWith(
          { status: 504, fields: [], body: "" },
          `fwd=bypass; detail=${decision.reason}`,
        );
        return true;
    }
  }

  /** To a target, as without a cache; what was decided is said in Cache-Status. */
  #around(forward: string, detail: string): false {
    this.#request.cacheNote = `fwd=${forward}; detail=${detail}`;
    return false;
  }

  #serve(
    edge: Edge,
    decision: Extract<Decision, { kind: "hit" | "stale" }>,
    stored: StoredResponse | undefined,
    nowMs: number,
  ): boolean {
    if (stored === undefined) return this.#around("bypass", "absent");
    if (decision.kind === "hit") return this.#sendStored(stored, nowMs, "");
    // What the refresh needs is taken first: once the answer is out, this object serves another request.
    const order = this.#order(edge, conditionsFor(stored));
    const flightKey = flightKeyOf(order.key, stored);
    this.#sendStored(stored, nowMs, decision.reason);
    edge.refresh(order, flightKey);
    return true;
  }

  #sendStored(stored: StoredResponse, nowMs: number, detail: string): true {
    this.#serving.edge?.count(detail === "" ? "hits" : "stale");
    sendStored(this.#exchange, this.#serving, this.#request, { stored, nowMs, detail });
    return true;
  }

  #revalidate(
    edge: Edge,
    decision: Extract<Decision, { kind: "revalidate" }>,
    stored: StoredResponse | undefined,
    nowMs: number,
  ): boolean {
    const { plan, cache } = this;
    if (stored === undefined) return this.#around("bypass", "absent");
    this.#forward = decision.reason.startsWith("request-") ? "request" : "stale";
    this.#detail = decision.reason;
    const order = this.#order(edge, decision.conditions);
    const flightKey = flightKeyOf(order.key, stored);
    // Nobody is there to ask: no client waits to learn that once more.
    if (plan.isDown && afterFailure(stored, cache.policy, nowMs, ALL_DOWN).kind === "stale") {
      this.#sendStored(stored, nowMs, "grace");
      edge.refresh(order, flightKey);
      return true;
    }
    edge.release();
    return this.#join(edge, order, flightKey);
  }

  #miss(edge: Edge, reason: string, view: RequestView): boolean {
    const { hasRange, hasConditional } = edge.viewed;
    this.#forward = "uri-miss";
    this.#detail = reason === "absent" ? "" : reason;
    if (view.head.method === METHOD.head) return this.#around("uri-miss", "head");
    if (hasRange) return this.#around("uri-miss", "range");
    const order = this.#order(edge, hasConditional ? {} : undefined);
    if (reason !== "absent" || edge.isMarked(order.key)) return this.#lead(edge, order, undefined);
    return this.#join(edge, order, flightKeyOf(order.key, undefined));
  }

  #order(edge: Edge, conditions: Conditions | undefined): FetchOrder {
    const { down, replay, replayHeadEnd } = this.#request;
    if (down === undefined) throw new Error("cache: a request without a client");
    const { plan, cache } = this;
    const request = { bytes: replay.slice(0, replayHeadEnd), end: replayHeadEnd };
    return { client: down, plan, cache, key: edge.keepKey(), request, conditions };
  }

  // --- the flight ---------------------------------------------------------------------------------------------

  /** Waits for the fetch that is under way, here or in another worker, or begins one. */
  #join(edge: Edge, order: FetchOrder, flightKey: string): true {
    this.#key = order.key;
    const fetch = edge.fetchOf(flightKey);
    if (fetch?.flight.isJoinable === true) {
      this.#attach(fetch, false);
      this.flightMoved();
      return true;
    }
    if (!edge.claim(order.key)) {
      this.#isElsewhere = true;
      this.#exchange.wait("fetch", LOOK_AGAIN_MS);
      return true;
    }
    return this.#lead(edge, order, flightKey);
  }

  /** Begins a fetch; without a key it is for this request alone. */
  #lead(edge: Edge, order: FetchOrder, flightKey: string | undefined): true {
    this.#key = order.key;
    const flight = new Flight(flightKey ?? "", flightKey !== undefined);
    const fetch = edge.prepare(order, flight);
    this.#attach(fetch, true);
    fetch.start();
    return true;
  }

  #attach(fetch: Fetch, leads: boolean): void {
    this.#serving.edge?.count("misses");
    this.#fetch = fetch;
    this.#leads = leads;
    fetch.flight.readers.add(this);
    this.#exchange.wait("fetch", this.cache.softTimeoutMs);
  }

  #leave(): Fetch | undefined {
    const fetch = this.#fetch;
    this.#fetch = undefined;
    if (fetch === undefined) return undefined;
    fetch.flight.readers.delete(this);
    fetch.fetcher.readerLeft();
    return fetch;
  }

  flightInterim(bytes: Uint8Array, size: number): void {
    if (!this.#request.isHttp10 && !this.#writer.hasBegun) this.#exchange.sendDown(bytes, 0, size);
  }

  flightMoved(): void {
    const flight = this.#fetch?.flight;
    if (flight === undefined) return;
    switch (flight.state) {
      case "waiting":
        return;
      case "streaming":
      case "complete":
        return this.#writer.hasBegun ? this.pump() : this.#begin(flight);
      case "revalidated":
        return this.#takeRevalidated();
      case "failed":
        return this.#takeFailure(flight);
      case "cut":
        this.#leave();
        return this.#exchange.fail("upstream-cut");
    }
  }

  /** The response has begun: is it for this request as well? */
  #begin(flight: Flight): void {
    const { head } = flight;
    if (head === undefined) return;
    const { refusal, meta } = head;
    if (!this.#leads) {
      if (refusal !== undefined) return this.#goAlone(refusal);
      this.#exchange.view();
      if (meta !== undefined && !matchesVariant(meta, this.#edge.viewed)) return this.#lookAgain();
    }
    this.#writer.begin(flight, head, this.#cacheStatus(refusal));
    this.pump();
  }

  #cacheStatus(refusal: string | undefined): string {
    const parts = [`fwd=${this.#forward}`];
    if (this.#leads) parts.push(`fwd-status=${this.#fetch?.flight.head?.status ?? 0}`);
    if (refusal === undefined) parts.push("stored");
    if (!this.#leads) parts.push("collapsed");
    const detail = refusal ?? this.#detail;
    if (detail !== "") parts.push(`detail=${detail}`);
    return parts.join("; ");
  }

  /** Sends what there is, as far as the client takes it. */
  pump(): void {
    const fetch = this.#fetch;
    if (fetch === undefined || !this.#writer.hasBegun) return;
    const before = this.#writer.offset;
    const isDone = this.#writer.pump(fetch.flight);
    if (isDone) {
      this.#leave();
      return this.#exchange.answered(fetch.flight.head?.status ?? 200);
    }
    if (!fetch.flight.keeps && this.#writer.offset > before) fetch.fetcher.readerMoved();
    this.#exchange.wait("stream", this.#request.timeouts.idleMs);
  }

  /** 304: what is stored is right again, and is what clients get. */
  #takeRevalidated(): void {
    this.#leave();
    this.#exchange.view();
    const { edge } = this.#serving;
    const stored = this.#key === undefined ? undefined : edge?.lookAgain(this.#key);
    if (stored === undefined) return this.#lookAgain();
    const status = `fwd=${this.#forward}; fwd-status=304${this.#leads ? "" : "; collapsed"}`;
    sendStored(this.#exchange, this.#serving, this.#request, {
      stored,
      nowMs: this.#serving.wallMs(),
      detail: this.#detail,
      forward: status,
    });
  }

  #takeFailure({ failure }: Flight): void {
    const { code, detail, tried } = failure ?? { code: "internal", detail: undefined, tried: [] };
    this.#leave();
    if (this.#fallBack(UNREACHABLE.includes(code))) return;
    this.#exchange.failWith(code, detail, tried);
  }

  /** Something older instead of an error, or instead of a longer wait. False when there is nothing. */
  #fallBack(allTargetsDown: boolean): boolean {
    const { edge } = this.#serving;
    if (this.#key === undefined || edge === undefined) return false;
    this.#exchange.view();
    const nowMs = this.#serving.wallMs();
    const stored = edge.lookAgain(this.#key);
    const down = { allTargetsDown: allTargetsDown || this.plan.isDown };
    const fallback = afterFailure(stored, this.cache.policy, nowMs, down);
    if (fallback.kind === "no" || stored === undefined) {
      edge.release();
      return false;
    }
    this.#leave();
    return this.#sendStored(stored, nowMs, fallback.reason);
  }

  /** The time of a wait is over. */
  timedOut(): void {
    if (this.#isElsewhere) {
      this.#isElsewhere = false;
      return this.#lookAgain();
    }
    if (this.#fetch === undefined || this.#writer.hasBegun) return;
    if (this.#fallBack(false)) return;
    this.#waits++;
    if (this.#leads || this.#waits * this.cache.softTimeoutMs < FOLLOW_MS) {
      return this.#exchange.wait("fetch", this.cache.softTimeoutMs);
    }
    this.#goAlone("waited-too-long");
  }

  #lookAgain(): void {
    this.#leave();
    const view = this.#exchange.view();
    if (view === undefined) return;
    if (!this.#look(this.#edge, this.cache, view)) this.#exchange.forward();
  }

  #goAlone(reason: string): void {
    this.#leave();
    this.#around(this.#forward, reason);
    this.#exchange.forward();
  }

  // --- what goes by -------------------------------------------------------------------------------------------

  /** The answer of a target to a request that went around the cache: it may say that what is stored is out of date. */
  passing(head: ResponseHead, bytes: Uint8Array): void {
    const view = this.#exchange.view();
    const { edge } = this.#serving;
    if (edge === undefined || view === undefined) return;
    const response = new HeadedResponse(head, bytes);
    if (!isSafe(view.head.method)) return this.#invalidate(edge, view, response);
    if (view.head.method === METHOD.head) this.#freshen(edge, view, response, linesOf(head.fields, bytes));
  }

  /** RFC 9111 §4.4 and RFC 9875 §3: a change that went well makes what is stored of its resource invalid. */
  #invalidate(edge: Edge, view: RequestView, response: CacheResponse): void {
    if (response.status >= 400) return;
    edge.purgeUrl(this.cache, view);
    const { head, bytes } = view;
    const host = text(bytes, head.hostStart, head.authorityEnd).toLowerCase();
    for (const name of ["location", "content-location"]) {
      const target = sameOrigin(response.field(name), host, edge.viewed.target);
      if (target !== undefined) edge.purgePath(this.cache, { host, target });
    }
    for (const group of groupsIn(response.field("cache-group-invalidation") ?? "")) edge.purgeTag(group);
  }

  /** RFC 9111 §4.3.5: an answer to HEAD tells what a GET would get now. */
  #freshen(edge: Edge, view: RequestView, response: CacheResponse, lines: readonly FieldLine[]): void {
    const nowMs = this.#serving.wallMs();
    const stored = edge.look(this.cache, view);
    if (stored === false || stored === undefined) return;
    const { bytes, bodyOffset, bodyBytes } = stored.entry;
    const exchange = {
      request: edge.viewed,
      response,
      requestWallMs: this.#startWallMs,
      responseWallMs: nowMs,
    };
    const whole = { meta: stored, fields: stored.fields(), bodyBytes };
    const update = updateFromHead(whole, exchange, lines, this.cache.policy);
    const key = edge.keepKey();
    if (update?.kind === "updated") {
      const body = [bytes.slice(bodyOffset, bodyOffset + bodyBytes)];
      const meta = { ...update.meta, status: stored.status };
      const { fields } = update;
      const startSequence = this.#startSequence;
      edge.keep({ key, cache: this.cache, meta, fields, reason: stored.reason, body, startSequence });
    } else if (update !== undefined) edge.remove(key);
  }

  clear(): void {
    this.#leave();
    this.#plan = undefined;
    this.#cache = undefined;
    this.#key = undefined;
    this.#leads = false;
    this.#isElsewhere = false;
    this.#looks = 0;
    this.#waits = 0;
    this.#detail = "";
    this.#writer.clear();
  }
}

/** Requests with one flight key can be served by one fetch. */
function flightKeyOf({ bytes }: CacheKey, stored: StoredResponse | undefined): string {
  const key = text(bytes, 0, bytes.length);
  return stored === undefined || stored.varyNames === "" ? key : `${key}\n${stored.varyValues}`;
}

/** Path and query of a URL on this host, or undefined: what is elsewhere is not ours to invalidate. */
function sameOrigin(location: string | undefined, host: string, base: string): string | undefined {
  if (location === undefined) return undefined;
  const url = URL.parse(location, `http://${host}${base}`);
  return url?.host === host ? `${url.pathname}${url.search}` : undefined;
}
