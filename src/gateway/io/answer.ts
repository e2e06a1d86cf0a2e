/**
 * The answer of a target on its way to the client: interim heads, the final head, the body.
 *
 * Nothing is repaired. An answer that breaks the grammar before its head has gone out becomes an error page; after
 * that the client's connection is cut, so that nobody takes half an answer for a whole one.
 */
import { memoized } from "../../base/index.ts";
import { asBytes, type ResponseHead } from "../../http/index.ts";
import { BodyReader } from "../body.ts";
import type { Attempts } from "./attempts.ts";
import type { Exchange } from "./exchange.ts";
import type { Request } from "./request.ts";
import type { Serving } from "./serving.ts";

const NOTHING = new Uint8Array(0);

/** The cache says one of few things of most answers. */
const knownBytes: (lines: string) => Uint8Array = memoized(256, asBytes);

export class Answer {
  readonly #exchange: Exchange;
  readonly #serving: Serving;
  readonly #request: Request;
  readonly #attempts: Attempts;
  readonly #body: BodyReader = new BodyReader();
  /** A head that has not arrived whole, and the parser's note on it. */
  #partial: Uint8Array | undefined;
  #resume = 0;
  #reusable = false;
  /** Of the final head; 0 before it. */
  status = 0;
  /** The final head is on its way to the client: from here on there can be no other answer. */
  hasBegun = false;
  /** The answer is complete, though the request may not be. */
  isComplete = false;

  constructor(exchange: Exchange, serving: Serving, request: Request, attempts: Attempts) {
    this.#exchange = exchange;
    this.#serving = serving;
    this.#request = request;
    this.#attempts = attempts;
  }

  /** `bytes[start, end)` have come from the target. They are borrowed. */
  read(bytes: Uint8Array, start: number, end: number): void {
    if (this.hasBegun) return this.#forwardBody(bytes, start, end);
    const partial = this.#partial;
    if (partial === undefined) return this.#readHeads(bytes, start, end);
    this.#partial = undefined;
    const joined = Buffer.concat([partial, bytes.subarray(start, end)]);
    this.#readHeads(joined, 0, joined.length);
  }

  /** The target has closed. `reset`: not in order, so that a body without a length may be cut short. */
  targetClosed(reset: boolean): void {
    if (!this.hasBegun) return this.#attempts.lost("upstream-closed", false);
    if (!this.#body.isUntilClose || reset) return this.#exchange.fail("upstream-cut");
    this.#complete(false);
  }

  /** The answer comes from the cache, and its head is on its way. */
  adopt(status: number): void {
    this.status = status;
    this.hasBegun = true;
  }

  /** The gateway answers by itself. */
  replace(status: number): void {
    this.status = status;
    this.hasBegun = true;
    this.isComplete = true;
  }

  /** Reads heads until a final one: interim responses (1xx) go to the client in order. */
  #readHeads(bytes: Uint8Array, start: number, end: number): void {
    const head = this.#serving.responseHead;
    let at = start;
    while (at < end) {
      const used = head.parse(bytes, at, end, this.#request.method, this.#resume);
      if (used === 0) return this.#awaitRest(bytes.slice(at, end), head.resume);
      this.#resume = 0;
      if (used < 0) return this.#exchange.fail("upstream-invalid", head.error);
      if (head.status >= 200) return this.#begin(head, bytes, at + used, end);
      if (head.status === 101) return this.#switchProtocols(head, bytes, at + used, end);
      this.#forwardInterim(head, bytes);
      at += used;
    }
  }

  /** The time until the first byte of the answer runs on: a head that trickles in does not renew it. */
  #awaitRest(partial: Uint8Array, resume: number): void {
    this.#partial = partial;
    this.#resume = resume;
  }

  /** HTTP/1.0 clients know no interim responses (RFC 9110 §15.2). */
  #forwardInterim(head: ResponseHead, bytes: Uint8Array): void {
    if (head.status === 100) this.#request.holdsBack = false;
    if (this.#request.isHttp10) return;
    const size = this.#writeHead(head, bytes, false);
    if (size <= 0) return;
    const { scratch } = this.#serving.wire;
    this.#exchange.sendDown(scratch, 0, size);
    this.#exchange.recording?.interim(scratch, size);
  }

  #begin(head: ResponseHead, bytes: Uint8Array, start: number, end: number): void {
    const request = this.#request;
    const dechunk = request.isHttp10 && head.bodyKind === "chunked";
    request.close ||= dechunk || head.bodyKind === "until-close" || this.#endsConnection();
    this.#exchange.passing(head, bytes, end - start);
    const headBytes = this.#writeHead(head, bytes, dechunk);
    if (headBytes < 0) return this.#exchange.fail("upstream-invalid", "upstream-head-too-large");
    this.#started(head, bytes, dechunk);
    this.#sendFirst(bytes, start, end, headBytes);
  }

  #started(head: ResponseHead, bytes: Uint8Array, dataOnly: boolean): void {
    this.#attempts.answered(head, bytes);
    this.#body.begin(head.bodyKind, head.contentLength, dataOnly);
    this.#reusable = head.keepAlive;
    this.status = head.status;
    this.hasBegun = true;
    this.#request.isReplayable = false;
  }

  /**
   * Whether the connection closes for a reason of ours. A client that was answered without having been told to send
   * its body may do so or not (RFC 9110 §10.1.1): what it sends next could be read either way.
   */
  #endsConnection(): boolean {
    const { down, holdsBack, body } = this.#request;
    return down?.listener.closing === true || (holdsBack && body.received === 0);
  }

  #writeHead(head: ResponseHead, bytes: Uint8Array, dechunk: boolean): number {
    const { close, isHttp10, number, plan, cacheLines, replacesCacheControl } = this.#request;
    const { wire } = this.#serving;
    const { form } = wire;
    form.close = close && !head.informational;
    form.keepAlive10 = isHttp10 && !close;
    form.upgrade = head.status === 101;
    form.dechunk = dechunk;
    form.requestNumber = number;
    form.extra = cacheLines === "" ? NOTHING : knownBytes(cacheLines);
    form.hidesInternal = plan?.cache?.policy.keepInternalFields === false;
    form.replacesCacheControl = replacesCacheControl;
    return wire.writeResponse(head, bytes);
  }

  /** Head and the body that came with it, in one write where they fit. */
  #sendFirst(bytes: Uint8Array, start: number, limit: number, headBytes: number): void {
    const { scratch } = this.#serving.wire;
    const exchange = this.#exchange;
    const body = this.#body;
    const end = body.read(bytes, start, limit);
    if (headBytes + end - start <= scratch.length) {
      exchange.sendDown(scratch, 0, body.copyParts(bytes, start, end, scratch, headBytes));
    } else {
      exchange.sendDown(scratch, 0, headBytes);
      body.forEachPart(start, end, (from, to) => exchange.sendDown(bytes, from, to));
    }
    exchange.passingBody(bytes, start, end);
    this.#afterBytes(end < limit);
  }

  #forwardBody(bytes: Uint8Array, start: number, limit: number): void {
    const exchange = this.#exchange;
    const end = this.#body.read(bytes, start, limit);
    this.#body.forEachPart(start, end, (from, to) => exchange.sendDown(bytes, from, to));
    exchange.passingBody(bytes, start, end);
    this.#afterBytes(end < limit);
  }

  /** `excess`: the target sent more than its own framing says. It is not forwarded, and ends the connection. */
  #afterBytes(excess: boolean): void {
    if (this.#body.error !== undefined) return this.#exchange.fail("upstream-invalid", this.#body.error);
    if (this.#body.done) return this.#complete(this.#reusable && !excess);
    this.#exchange.wait("stream", this.#request.timeouts.idleMs);
    this.#exchange.recording?.moved();
  }

  #complete(reuse: boolean): void {
    this.isComplete = true;
    this.#exchange.answerComplete(reuse);
  }

  /** 101: from here on bytes pass untouched in both directions, and neither connection is used again. */
  #switchProtocols(head: ResponseHead, bytes: Uint8Array, start: number, end: number): void {
    const request = this.#request;
    if (!request.upgrade) return this.#exchange.fail("upstream-invalid", "unasked-upgrade");
    request.close = true;
    const size = this.#writeHead(head, bytes, false);
    if (size < 0) return this.#exchange.fail("upstream-invalid", "upstream-head-too-large");
    this.#attempts.answered(head, bytes);
    this.status = 101;
    this.hasBegun = true;
    request.isReplayable = false;
    this.#exchange.sendDown(this.#serving.wire.scratch, 0, size);
    this.#exchange.openTunnel(bytes, start, end);
  }

  clear(): void {
    this.#partial = undefined;
    this.#resume = 0;
    this.status = 0;
    this.hasBegun = false;
    this.isComplete = false;
  }
}
