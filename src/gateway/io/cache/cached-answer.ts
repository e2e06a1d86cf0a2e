/**
 * How a client's exchange is answered by a rule with a cache:
 *
 *   start -> hit | stale: sent, done
 *         -> not in memory: read from disk, and decided on once more
 *         -> miss: to a target, the response recorded as it goes by; or behind somebody who already asks
 *         -> revalidate: a fetch with conditions, and behind it
 *         -> around: to a target, as without a cache
 *
 * One object for each exchange, recycled with it.
 */
import {
  afterFailure,
  type CacheRequest,
  type Conditions,
  cachedAs,
  conditionsFor,
  type Decision,
  decide,
  FLIGHT,
  type StoredResponse,
} from "../../../edge/index.ts";
import type { ResponseHead } from "../../../http/index.ts";
import type { RequestView } from "../../route.ts";
import type { Exchange } from "../exchange.ts";
import type { Plan } from "../plan.ts";
import type { Request } from "../request.ts";
import type { Serving } from "../serving.ts";
import { DiskLook } from "./disk-look.ts";
import type { Edge } from "./edge.ts";
import type { FetchOrder } from "./fetch-order.ts";
import { Following, type Ways } from "./following.ts";
import { laterFor } from "./later.ts";
import { aloneReason, conditionalHead, earlyHints, PlainRequest } from "./messages.ts";
import { recordedLines } from "./own-lines.ts";
import { takeNote } from "./passing.ts";
import { answerPurge, isPurge } from "./purge-request.ts";
import type { Recording } from "./recording.ts";
import type { RuleCache } from "./rule-cache.ts";
import { Sending, TOO_MANY_SLOW } from "./sending.ts";
import { type KeyedSlice, sliceLines, wantedSlice } from "./slice-order.ts";
import { Slicing } from "./slicing.ts";
import { type Sender, type StoredAnswer, sendStored } from "./stored-answer.ts";

/** How soon a request looks again for what another worker fetches. */
const LOOK_AGAIN_MS = 50;

const ALL_DOWN = { allTargetsDown: true };

const HIT = cachedAs("hit", "fresh");
const DISK_HIT = cachedAs("hit", "disk");
const ABSENT = cachedAs("miss", "absent");

/** Why a request goes to a target though another asks already: where that one's time is over, all who wait would go. */
const TOO_MANY_WAIT = "too-many-waiters";

/** Looks of one request: what it waited for may be of no use to it, or gone when it came. */
const LOOKS_MAX = 250;

export class CachedAnswer implements Ways {
  readonly #exchange: Exchange;
  readonly #serving: Serving;
  readonly #request: Request;
  readonly #following: Following;
  readonly #slicing: Slicing;
  readonly #sender: Sender;
  #plan: Plan | undefined;
  #looks = 0;
  /** When it looked last. */
  #nowMs = 0;
  /** The slice that the request wants first, where bodies are fetched in slices and all of this one is not stored. */
  #first: KeyedSlice | undefined;
  /** Another worker fetches. */
  #isElsewhere = false;
  readonly #disk: DiskLook;
  /** When the request came, by the clock and by the purges. */
  #startWallMs = 0;
  #startSequence = 0;

  constructor(exchange: Exchange, serving: Serving, request: Request) {
    this.#exchange = exchange;
    this.#serving = serving;
    this.#request = request;
    this.#disk = new DiskLook(exchange, serving, request, () => this.lookAgain());
    const sending = new Sending(exchange, serving, request, () => this.#disk.giveUp());
    this.#sender = { exchange, serving, request, sending };
    this.#following = new Following(this.#sender, this);
    this.#slicing = new Slicing(this.#sender);
  }

  /** Waits for a fetch, or is being sent something from the cache. */
  get isActive(): boolean {
    return this.#following.isActive || this.isSending || this.#slicing.isActive;
  }
  /** It is the client's turn. */
  get isSending(): boolean {
    return this.#sender.sending.isActive;
  }

  pump(): void {
    if (this.isSending) this.#sender.sending.pump();
    else if (this.#slicing.isActive) this.#slicing.pump();
    else this.#following.pump();
  }

  // Both are there from `start` on.
  get #cache(): RuleCache {
    const cache = this.#plan?.cache;
    if (cache === undefined) throw new Error("cache: a rule without one");
    return cache;
  }
  get #edge(): Edge {
    const { edge } = this.#serving;
    if (edge === undefined) throw new Error("cache: there is none");
    return edge;
  }

  // --- the decision -------------------------------------------------------------------------------------------

  /** Takes the request in the view. False when it goes to a target now. */
  start(plan: Plan, view: RequestView): boolean {
    const { edge } = this.#serving;
    if (edge === undefined || this.#request.upgrade) return false;
    this.#plan = plan;
    const { purgeToken } = this.#serving;
    if (purgeToken !== undefined && isPurge(view))
      return answerPurge(this.#exchange, edge, this.#cache, purgeToken);
    if (this.#request.hasBody) return this.#around("bypass", "request-body");
    return this.#look(edge);
  }

  #look(edge: Edge): boolean {
    if (this.#looks++ === LOOKS_MAX) return this.#around("bypass", "too-many-looks");
    const whole = edge.look(this.#cache);
    if (whole === false) return this.#around("bypass", "key-too-long");
    if (whole !== undefined) this.#disk.hold(edge.heldOf(whole));
    const nowMs = this.#serving.wallMs();
    // A slice stands for the body where that is fetched in slices.
    const wanted = whole === undefined ? wantedSlice(edge, this.#cache, nowMs) : undefined;
    this.#first = wanted?.first;
    const stored = whole ?? wanted?.stored;
    this.#nowMs = nowMs;
    const decision = decide(edge.viewed, stored, this.#cache.policy, nowMs);
    if (stored === undefined && this.#disk.begin(edge, decision, this.#first?.key)) return true;
    switch (decision.kind) {
      case "hit":
      case "stale":
        return this.#serve(edge, decision, stored, nowMs);
      case "revalidate":
        return this.#revalidate(edge, decision, stored, nowMs);
      case "miss":
        return this.#miss(edge, decision.reason);
      case "bypass":
        return this.#around(decision.reason === "method" ? "method" : "bypass", decision.reason);
      case "gateway-timeout":
        this.#request.cached = cachedAs("bypass", decision.reason);
        this.#exchange.replyWith(504, `fwd=bypass; detail=${decision.reason}`);
        return true;
    }
  }

  /** To a target, as without a cache; what was decided is said in Cache-Status. */
  #around(forward: string, detail: string): false {
    this.#say(`fwd=${forward}; detail=${detail}`);
    this.#request.cached = cachedAs(forward === "uri-miss" ? "miss" : "bypass", detail) ?? ABSENT;
    this.#startSequence = this.#edge.store.purgeSequence;
    this.#startWallMs = this.#serving.wallMs();
    return false;
  }

  #serve(
    edge: Edge,
    decision: Extract<Decision, { kind: "hit" | "stale" }>,
    stored: StoredResponse | undefined,
    nowMs: number,
  ): boolean {
    if (stored === undefined) return this.#around("bypass", "absent");
    if (decision.kind === "hit") return this.#sendStored(edge, stored, nowMs, this.#disk.detail);
    // What the refresh needs is taken first: once the answer is out, this object serves another request.
    const conditions = conditionsFor(stored);
    const order = this.#order(edge, stored, conditions);
    const head = this.#headWith(conditions);
    if (!this.#sendStored(edge, stored, nowMs, decision.reason)) return false;
    edge.refresh(order, head);
    return true;
  }

  #sendStored(edge: Edge, found: StoredResponse, nowMs: number, detail: string): boolean {
    const stored = this.#cache.compress && this.#first === undefined ? edge.coded(this.#cache, found) : found;
    if (stored === undefined) return this.#around("bypass", "lost");
    this.#request.cached = detail === "" ? HIT : detail === "disk" ? DISK_HIT : cachedAs("stale", detail);
    return this.sendStored({ stored, nowMs, detail }) || this.#around("bypass", TOO_MANY_SLOW);
  }

  sendStored(answer: StoredAnswer): boolean {
    const { edge } = this.#serving;
    if (this.#first === undefined || edge === undefined) return sendStored(this.#sender, answer);
    return this.#slicing.sendStored(answer, this.#order(edge, undefined, undefined));
  }

  beginPart(recording: Recording, note: string): void {
    this.#slicing.begin(recording, note);
  }

  #revalidate(
    edge: Edge,
    { reason, conditions }: Extract<Decision, { kind: "revalidate" }>,
    stored: StoredResponse | undefined,
    nowMs: number,
  ): boolean {
    if (stored === undefined) return this.#around("bypass", "absent");
    const order = this.#order(edge, stored, conditions);
    // Nobody is there to ask: no client waits to learn that once more.
    if (order.plan.isDown && afterFailure(stored, this.#cache.policy, nowMs, ALL_DOWN).kind === "stale") {
      const head = this.#headWith(conditions);
      if (!this.#sendStored(edge, stored, nowMs, "grace")) return false;
      edge.refresh(order, head);
      return true;
    }
    if (this.#cache.earlyHints && !this.#request.isHttp10) this.#hint(stored);
    edge.release();
    this.#request.cached = cachedAs("miss", reason);
    const forward = reason.startsWith("request-") ? "request" : "stale";
    return this.#followOr(edge, order, { forward, detail: reason }, (isShared) => {
      this.#fetch(edge, order, { forward, detail: reason }, isShared);
      return true;
    });
  }

  /** What the response that is being checked told clients to load beside it is worth loading meanwhile (RFC 8297). */
  #hint(stored: StoredResponse): void {
    const hints = earlyHints(stored.clientFields());
    if (hints.length > 0) this.#exchange.sendDown(hints, 0, hints.length);
  }

  #miss(edge: Edge, reason: "absent" | "authorization"): boolean {
    const { hasConditional } = edge.viewed;
    const detail = reason === "absent" ? "" : reason;
    const alone = aloneReason(edge.viewed, this.#cache);
    const isSliced = this.#first !== undefined;
    if (alone !== undefined && (alone !== "range" || !isSliced)) return this.#around("uri-miss", alone);
    this.#request.cached = reason === "absent" ? ABSENT : cachedAs("miss", reason);
    // A client's conditions are for us to answer; the target is asked for the whole.
    const order = this.#order(edge, undefined, hasConditional ? {} : undefined);
    const lead = (isShared: boolean): boolean => {
      if (!hasConditional && !isSliced) return this.#record(edge, order, isShared);
      this.#fetch(edge, order, { forward: "uri-miss", detail }, isShared);
      return true;
    };
    const isMarked = edge.isMarked(order.key, this.#nowMs);
    // What cannot be kept is between client and target, and so are its validators.
    if (isMarked && hasConditional) return this.#around("uri-miss", "marked");
    if (detail !== "" || isMarked) return lead(false);
    return this.#followOr(edge, order, { forward: "uri-miss", detail }, lead);
  }

  #order(edge: Edge, stored: StoredResponse | undefined, conditions: Conditions | undefined): FetchOrder {
    const { down } = this.#request;
    const plan = this.#plan;
    if (down === undefined || plan === undefined) throw new Error("cache: a request without a client");
    const variant = stored === undefined ? "" : stored.varyValues;
    const key = this.#first?.key ?? edge.keepKey();
    const slice = this.#first?.slice;
    const order = { client: down, plan, cache: this.#cache, key, slice, variant, conditions };
    if (stored !== undefined) edge.disk?.askAbout(order, edge.heldOf(stored));
    return order;
  }

  /** The request's head with the cache's conditions in the place of the client's. */
  #headWith(conditions: Conditions): Uint8Array {
    const { replay, replayHeadEnd } = this.#request;
    const lines = this.#first === undefined ? [] : sliceLines(this.#first.slice);
    return conditionalHead({ bytes: replay, end: replayHeadEnd }, conditions, lines, this.#serving.limits);
  }

  // --- the fetch ----------------------------------------------------------------------------------------------

  /** Behind the fetch that is under way, here or in another worker; else `lead` begins one. */
  #followOr(
    edge: Edge,
    order: FetchOrder,
    note: { readonly forward: string; readonly detail: string },
    lead: (isShared: boolean) => boolean,
  ): boolean {
    const here = edge.recordingFor(order);
    const { waitersMax } = order.cache;
    if (waitersMax === 0) return lead(false);
    // Of another variant: what this request gets is to come beside it.
    if (here !== undefined && edge.isOther(here)) return lead(true);
    if (here !== undefined && here.followerCount >= waitersMax)
      return this.#around("uri-miss", TOO_MANY_WAIT);
    const worker = here === undefined ? edge.claim(order.key, this.#nowMs) : FLIGHT.leader;
    const isUnknown = worker === FLIGHT.alone && this.#looks === 1;
    if (here === undefined && worker < 0 && !isUnknown) return lead(true);
    const recording = here ?? (isUnknown ? undefined : edge.recordElsewhere(order, worker));
    if (recording === undefined) {
      this.#isElsewhere = true;
      this.#exchange.wait("fetch", LOOK_AGAIN_MS);
      if (isUnknown) this.#lookSoon();
      return true;
    }
    this.#request.cached = cachedAs("collapsed", note.detail || "absent");
    this.#following.follow(recording, { ...note, leads: false });
    if (recording.isLate) this.#following.timedOut();
    else this.#following.moved();
    return true;
  }

  /** To a target with this very exchange, the response recorded as it goes by. */
  #record(edge: Edge, order: FetchOrder, isShared: boolean): false {
    const recording = edge.record(order, isShared, this.#nowMs);
    recording.request = new PlainRequest(edge.viewed, this.#viewed);
    this.#exchange.record(recording);
    return false;
  }

  /** A fetch of its own, and this request behind it. */
  #fetch(
    edge: Edge,
    order: FetchOrder,
    note: { readonly forward: string; readonly detail: string },
    isShared: boolean,
  ): void {
    const head = this.#headWith(order.conditions ?? {});
    const recording = edge.record(order, isShared);
    this.#following.follow(recording, { ...note, leads: true });
    this.#serving.fetch(recording, head);
  }

  /** The table of flights was busy for a moment: whoever held it is done when the loop has gone round. */
  #lookSoon(): void {
    this.#serving.transport.yieldSoon();
    setImmediate(laterFor(this.#request, () => this.#isElsewhere && this.timedOut()));
  }

  lookAgain(): void {
    const view = this.#exchange.view();
    if (view !== undefined && !this.#look(this.#edge)) this.#exchange.forward();
  }

  goAlone(reason: string): void {
    this.#around(reason === TOO_MANY_SLOW ? "bypass" : "uri-miss", reason);
    this.#exchange.forward();
  }

  /** The time of a wait is over. */
  timedOut(): void {
    if (this.#disk.isReading) return this.#disk.giveUp();
    if (this.isSending) return this.#sender.sending.timedOut();
    if (this.#slicing.isActive) return this.#slicing.timedOut();
    if (!this.#isElsewhere) return this.#following.timedOut();
    this.#isElsewhere = false;
    this.lookAgain();
  }

  // --- what goes by -------------------------------------------------------------------------------------------

  /** The head of a target's answer, with `cameBytes` behind it: it is recorded, or may say that what is stored is out of date. */
  passing(head: ResponseHead, bytes: Uint8Array, recording: Recording | undefined, cameBytes: number): void {
    if (recording !== undefined) return this.#recordHead(head, bytes, recording, cameBytes);
    const { edge } = this.#serving;
    const view = edge === undefined || this.#plan === undefined ? undefined : this.#exchange.view();
    if (edge === undefined || view === undefined) return;
    takeNote(
      { edge, cache: this.#cache, view, head, bytes },
      { wallMs: this.#startWallMs, sequence: this.#startSequence, nowMs: this.#serving.wallMs() },
    );
  }

  #recordHead(head: ResponseHead, bytes: Uint8Array, recording: Recording, cameBytes: number): void {
    recording.began(head, bytes, recording.request ?? this.#viewed(), cameBytes);
    if (this.#exchange.isForNobody) return;
    const { keeps, refusal } = recording;
    this.#say(keeps ? "fwd=uri-miss; stored" : `fwd=uri-miss; detail=${refusal}`);
    const { browserCacheControl } = this.#cache.policy;
    this.#request.cacheLines += recordedLines(recording, browserCacheControl);
    this.#request.replacesCacheControl = keeps && browserCacheControl !== undefined;
  }

  #say(note: string): void {
    this.#request.cacheLines = this.#serving.site.cacheStatus(note);
  }
  /** The request that is being answered, for the policy. */
  readonly #viewed = (): CacheRequest => {
    this.#exchange.view();
    return this.#edge.viewed;
  };

  clear(): void {
    this.#following.clear();
    this.#sender.sending.clear();
    this.#slicing.clear();
    this.#first = undefined;
    this.#plan = undefined;
    this.#looks = 0;
    this.#isElsewhere = false;
    this.#disk.clear();
  }
}
