/**
 * A body that one client gets slice after slice: from the store, or from a fetch as it comes.
 *
 *   head (of the slice that is wanted first) -> slice: stored -> offered to the client
 *                                                   -> not in memory: read from disk, if it is there, and looked up again
 *                                                   -> fetched, and followed
 *                                            -> next slice …
 *
 * While one slice is sent the next is fetched, and no more than that: a client costs the memory of two slices at most, a
 * slow one that of none, for what it has not taken stays in the store. Nothing is held there either: after each pause the
 * slice is looked up again, and read or fetched again if it has gone. All slices are of the representation that the head told of;
 * one of another cuts the connection, since no client may take a mix for the whole, and drops what is stored.
 */
import {
  ageSeconds,
  contentRange,
  evaluate,
  type FieldLine,
  FLIGHT,
  isSameRepresentation,
  type Representation,
  type StoredResponse,
} from "../../../edge/index.ts";
import { METHOD } from "../../../http/index.ts";
import { DISK_WAIT_MS } from "./disk-sending.ts";
import type { Edge } from "./edge.ts";
import type { FetchOrder, SliceOrder } from "./fetch-order.ts";
import type { Follower } from "./follower.ts";
import { conditionalHead, linesIn } from "./messages.ts";
import type { Recording } from "./recording.ts";
import { fewBytes, type SliceHead, sendHead } from "./slice-head.ts";
import { SliceLook } from "./slice-look.ts";
import { isPartOf, representationOf, sliceLines, sliceOrder, spanIn } from "./slice-order.ts";
import { type Sender, type StoredAnswer, statusOf } from "./stored-answer.ts";

/** Fetches of one slice for one client: it may be pushed out before it is read, or its fetcher may die. */
const TRIES_MAX = 3;

/** What a step of sending ends with: more can be sent; it is the client's turn, or the target's, or the disk's; all is sent; it failed. */
type Step = "more" | "send" | "stream" | "disk" | "done" | "gone";

/** What is being sent. */
interface Body {
  readonly order: FetchOrder;
  readonly slice: SliceOrder;
  readonly of: Representation;
  readonly status: number;
  readonly end: number;
}

/** What of a body is sent, and how that is said. */
interface Part {
  readonly head: SliceHead;
  readonly first: number;
  readonly end: number;
  readonly status: 200 | 206;
  /** Content-Range. */
  readonly range?: string;
}

export class Slicing implements Follower {
  readonly #sender: Omit<Sender, "sending">;
  #body: Body | undefined;
  #recording: Recording | undefined;
  #at = 0;
  /** Bytes that went to the client without the exchange. */
  #offered = 0;
  #tries = 0;
  /** The last slice that was fetched ahead of its time. */
  #ahead = 0;
  #isPumping = false;
  readonly #disk: SliceLook;

  constructor(sender: Omit<Sender, "sending">) {
    this.#sender = sender;
    this.#disk = new SliceLook(sender, () => this.pump());
  }

  get isActive(): boolean {
    return this.#body !== undefined;
  }
  /** In the slice that is followed. */
  get offset(): number {
    const span = spanIn(this.#recording);
    return span === undefined ? 0 : this.#at - span.first;
  }
  get #edge(): Edge {
    const { edge } = this.#sender.serving;
    if (edge === undefined) throw new Error("cache: a slice without a cache");
    return edge;
  }

  // --- the head -----------------------------------------------------------------------------------------------

  /** Answers with a stored slice, which is in place, and those behind it. False when it does not say what it is of. */
  sendStored(answer: StoredAnswer, order: FetchOrder): boolean {
    const { stored, nowMs } = answer;
    const of = representationOf(stored, nowMs);
    if (of === undefined || order.slice === undefined) return false;
    const head = {
      meta: stored,
      fields: () => stored.clientFields(),
      note: statusOf(answer),
      ageS: ageSeconds(stored, nowMs),
      stored,
    };
    this.#begin(order, order.slice, of, head);
    return true;
  }

  /** Answers with what `recording` brings, and the slices behind it. */
  begin(recording: Recording, note: string): void {
    const { order, slice, meta, head } = recording;
    const span = spanIn(recording);
    if (order.slice === undefined || span === undefined || meta === undefined || head === undefined)
      throw new Error("cache: a part that is none");
    const { totalBytes } = span;
    const of = slice?.kind === "slice" ? slice.of : { validator: "", totalBytes };
    const fields = (): FieldLine[] => linesIn(head.bytes, head.clientStart, head.end);
    this.#recording = recording;
    recording.join(this);
    this.#begin(order, order.slice, of, { meta, fields, note, ageS: undefined });
  }

  #begin(order: FetchOrder, slice: SliceOrder, of: Representation, head: SliceHead): void {
    const { serving, request } = this.#sender;
    const { viewed } = this.#edge;
    const asked = evaluate(viewed, head.meta, of.totalBytes, serving.wallMs());
    const total = of.totalBytes;
    request.close ||= request.down?.listener.closing === true;
    switch (asked.kind) {
      case "not-modified":
        sendHead(this.#sender, head, { status: 304 });
        return this.#end(304);
      case "unsatisfiable":
        sendHead(this.#sender, head, { status: 416, length: 0, range: contentRange(asked, total) });
        return this.#end(416);
      case "whole":
        return this.#sendPart(order, slice, of, { head, first: 0, end: total, status: 200 });
      case "part": {
        const range = contentRange(asked, total);
        const part = { head, first: asked.first, end: asked.last + 1, status: 206, range } as const;
        return this.#sendPart(order, slice, of, part);
      }
    }
  }

  #sendPart(order: FetchOrder, slice: SliceOrder, of: Representation, part: Part): void {
    const { exchange, request } = this.#sender;
    const { head, first, end, status, range } = part;
    const isHead = request.method === METHOD.head;
    const body = isHead ? undefined : fewBytes(head.stored, slice.asked.first, first, end);
    sendHead(this.#sender, head, {
      status,
      length: end - first,
      body,
      ...(range === undefined ? {} : { range }),
    });
    this.#edge.release();
    if (isHead || body !== undefined) return this.#end(status);
    this.#at = first;
    this.#body = { order, slice, of, status, end };
    this.#ahead = Math.floor(this.#at / order.cache.sliceBytes);
    if (!this.#isIn(this.#recording)) this.#leave();
    exchange.adopt(status);
    this.pump();
  }

  #end(status: number): void {
    const offered = this.#offered;
    this.#edge.release();
    this.clear();
    this.#sender.exchange.answered(status, offered);
  }

  // --- the body -----------------------------------------------------------------------------------------------

  /** Early hints come before a head. */
  interim(): void {}

  moved(): void {
    this.pump();
  }

  /** The disk is too slow. */
  timedOut(): void {
    this.#disk.giveUp();
    this.pump();
  }

  /** Sends as much as there is and as the client takes. */
  pump(): void {
    const body = this.#body;
    // A fetch that fails at once says so in the middle of this very loop, which looks at it next.
    if (body === undefined || this.#isPumping) return;
    this.#isPumping = true;
    let step: Step = "more";
    while (step === "more") step = this.#step(body);
    if (step === "gone") return;
    this.#isPumping = false;
    if (step === "done") return this.#end(body.status);
    if (step === "disk") return this.#sender.exchange.wait("fetch", DISK_WAIT_MS);
    this.#sender.exchange.wait(step, this.#sender.request.timeouts.idleMs);
  }

  #step(body: Body): Step {
    if (this.#at >= body.end) return "done";
    if (this.#sender.request.down?.outbox !== undefined) return "send";
    if (this.#disk.isReading) return "disk";
    const recording = this.#recording;
    if (recording === undefined) return this.#fromStore(body);
    if (recording.state === "complete" && this.#isStored(body)) {
      this.#leave();
      return "more";
    }
    return this.#fromRecording(body, recording);
  }

  /** The slice at hand, if it is stored. It is in place until the next look. */
  #look(body: Body): StoredResponse | undefined {
    this.#sender.exchange.view();
    const stored = this.#edge.lookAgain(this.#orderOf(body, this.#number(body)).key);
    if (stored === undefined) return undefined;
    const of = representationOf(stored, this.#sender.serving.wallMs());
    return of !== undefined && isSameRepresentation(of, body.of) ? stored : undefined;
  }

  #isStored(body: Body): boolean {
    const isStored = this.#look(body) !== undefined;
    this.#edge.release();
    return isStored;
  }

  #fromStore(body: Body): Step {
    const stored = this.#look(body);
    if (stored === undefined) {
      this.#edge.release();
      return this.#fetch(body);
    }
    const { bytes, bodyOffset, bodyBytes } = stored.entry;
    const first = this.#number(body) * body.order.cache.sliceBytes;
    const start = bodyOffset + this.#at - first;
    const end = bodyOffset + Math.min(bodyBytes, body.end - first);
    const taken = this.#sender.request.down?.offer(bytes, start, end) ?? -1;
    this.#edge.release();
    // The client is gone; that is said in a moment.
    if (taken < 0) return "send";
    if (end <= start) return this.#fail("upstream-invalid", "slice-mismatch");
    this.#took(taken);
    this.#offered += taken;
    this.#fetchAhead(body);
    return taken === end - start ? "more" : "send";
  }

  #fromRecording(body: Body, recording: Recording): Step {
    switch (recording.state) {
      case "waiting":
        return "stream";
      case "revalidated":
      case "cut":
        // The rest of the slice is asked for anew: it is of the same representation, or refused.
        this.#leave();
        return "more";
      case "failed":
        this.#leave();
        // Whoever fetched gave up for a reason of its own.
        return recording.failure === undefined
          ? "more"
          : this.#fail(recording.failure.code, recording.failure.detail);
      case "streaming":
      case "complete":
        return isPartOf(body.of, recording) ? this.#pass(body, recording) : this.#refuse(recording);
    }
  }

  #pass(body: Body, recording: Recording): Step {
    this.#fetchAhead(body);
    const span = spanIn(recording);
    const chunk = span === undefined ? undefined : recording.chunkAt(this.#at - span.first);
    if (span === undefined || chunk === undefined)
      return recording.state === "streaming" ? "stream" : this.#fail("upstream-cut", "slice");
    const until = Math.min(body.end, span.last + 1);
    const end = Math.min(chunk.bytes.length, chunk.start + until - this.#at);
    this.#sender.exchange.sendDown(chunk.bytes, chunk.start, end);
    this.#took(end - chunk.start);
    if (this.#at === until) this.#leave();
    return "more";
  }

  #took(count: number): void {
    this.#at += count;
    if (count > 0) this.#tries = 0;
  }

  #isIn(recording: Recording | undefined): boolean {
    const span = spanIn(recording);
    return span !== undefined && this.#at >= span.first && this.#at <= span.last;
  }

  /** The head is out, and what comes now is not of it. */
  #refuse({ refusal, keeps, order }: Recording): Step {
    const reason = keeps || refusal === "" ? "slice-changed" : refusal;
    if (reason === "slice-changed") this.#edge.dropUrl(order.slice?.whole ?? order.key);
    return this.#fail("upstream-invalid", reason);
  }

  /** Cuts the connection; this object may serve another request from here on. */
  #fail(code: Parameters<Sender["exchange"]["fail"]>[0], detail: string | undefined): Step {
    this.clear();
    this.#sender.exchange.fail(code, detail);
    return "gone";
  }

  // --- fetching -----------------------------------------------------------------------------------------------

  #number(body: Body): number {
    return Math.floor(this.#at / body.order.cache.sliceBytes);
  }

  #orderOf({ order, slice, of }: Body, number: number): FetchOrder {
    const { sliceBytes } = order.cache;
    const found = sliceOrder(this.#edge, slice.whole, { number, sliceBytes, of });
    return { ...order, ...found, conditions: undefined, variant: "" };
  }

  /** Follows the fetch of the slice at hand; else it is read from disk, or a fetch begins. */
  #fetch(body: Body): Step {
    if (body.of.validator === "") return this.#fail("upstream-invalid", "slice-failed");
    const order = this.#orderOf(body, this.#number(body));
    const here = this.#edge.recordingFor(order);
    if (here === undefined && this.#disk.begin(order.key, body.of, this.#at)) {
      this.#fetchAhead(body);
      return "disk";
    }
    if (this.#tries++ === TRIES_MAX) return this.#fail("upstream-invalid", "slice-failed");
    const isJoinable =
      here !== undefined && !this.#edge.isOther(here) && here.followerCount < order.cache.waitersMax;
    if (isJoinable) this.#follow(here);
    else this.#lead(order, here !== undefined);
    if (this.#body !== undefined) this.#fetchAhead(body);
    return "more";
  }

  #lead(order: FetchOrder, isElsewhere: boolean): void {
    const leader = isElsewhere ? FLIGHT.alone : this.#edge.claim(order.key);
    const remote = leader < 0 ? undefined : this.#edge.recordElsewhere(order, leader);
    if (remote !== undefined) return this.#follow(remote);
    const recording = this.#edge.record(order, leader === FLIGHT.leader);
    this.#follow(recording);
    this.#send(order, recording);
  }

  #follow(recording: Recording): void {
    this.#recording = recording;
    recording.join(this);
  }

  /** The next slice comes while this one is sent, unless somebody else fetches it. */
  #fetchAhead(body: Body): void {
    const number = this.#number(body) + 1;
    if (number <= this.#ahead || number * body.order.cache.sliceBytes >= body.end || body.of.validator === "")
      return;
    this.#ahead = number;
    const order = this.#orderOf(body, number);
    this.#sender.exchange.view();
    const isStored = this.#edge.lookAgain(order.key) !== undefined;
    this.#edge.release();
    if (isStored) return;
    const fetch = (): void => {
      if (this.#body !== body || this.#edge.recordingFor(order) !== undefined) return;
      if (this.#edge.claim(order.key) === FLIGHT.leader) this.#send(order, this.#edge.record(order, true));
    };
    const isHere = this.#edge.recordingFor(order) !== undefined;
    if (!isHere && !this.#disk.ahead(order.key, body.of, fetch)) fetch();
  }

  #send(order: FetchOrder, recording: Recording): void {
    const { request, serving } = this.#sender;
    if (order.slice === undefined) return;
    const head = { bytes: request.replay, end: request.replayHeadEnd };
    serving.fetch(recording, conditionalHead(head, {}, sliceLines(order.slice), serving.limits));
  }

  #leave(): void {
    const recording = this.#recording;
    this.#recording = undefined;
    recording?.leave(this);
  }

  clear(): void {
    this.#leave();
    this.#body = undefined;
    this.#at = 0;
    this.#offered = 0;
    this.#tries = 0;
    this.#ahead = 0;
    this.#isPumping = false;
    this.#disk.clear();
  }
}
