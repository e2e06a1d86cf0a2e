/**
 * One client connection: finds the next request in what arrives, hands it to an exchange, and keeps order.
 *
 *   idle -> (bytes) -> head complete? -> exchange -> response sent -> next request, or close
 *
 * Requests on one connection are answered one after the other (RFC 9112 §9.3.2): bytes of a pipelined request wait
 * in `#input`, and reading pauses when they are more than a head may be. An idle connection holds nothing but
 * itself: buffers and the exchange come and go with the work.
 */
import type { TimerEntry } from "../../base/index.ts";
import {
  FLUSH,
  flush,
  type Outbox,
  SEND,
  type SendResult,
  type SocketOwner,
  send,
  type TcpSocket,
} from "../../transport/index.ts";
import type { GatewayErrorCode } from "../errors.ts";
import type { Peer } from "../peer.ts";
import type { Client, Wait } from "./client.ts";
import type { Exchange } from "./exchange.ts";
import { Input } from "./input.ts";
import type { HttpListener } from "./listener.ts";
import type { Serving } from "./serving.ts";

/** How long a closing connection still reads, so that a reset does not destroy the response on its way. */
const LINGER_MS = 2_000;

/**
 * How long an idle connection of a listener that closes stays open: a client that sends its next request in that time is
 * answered, and told to close, where an immediate close would meet the request on its way and lose it.
 */
const LAST_CALL_MS = 500;

export class Downstream implements Client, TimerEntry, SocketOwner {
  readonly socket: TcpSocket;
  readonly listener: HttpListener;
  readonly peer: Peer;
  readonly isNobody = false;
  /** Place in the listener's list of connections. */
  place = 0;
  outbox: Outbox | undefined;
  exchange: Exchange | undefined;
  readonly #serving: Serving;
  #input: Input | undefined;
  /** Requests are being read: an exchange that is done at once does not begin to read by itself. */
  #reads = false;
  /** The parser's note on a head that has not arrived whole. */
  headResume = 0;
  #wait: Wait = "request";
  #paused = false;
  #lingers = false;
  /** The end of what we send is due once the outbox is empty. */
  #shutsDown = false;
  /** A request has been read: the next one may never come. */
  #served = false;
  #ended = false;
  #closed = false;

  // Links of the timer wheel.
  timerNext: TimerEntry | undefined;
  timerPrevious: TimerEntry | undefined;
  timerTick = 0;

  constructor(socket: TcpSocket, listener: HttpListener, serving: Serving, peer: Peer) {
    this.socket = socket;
    this.listener = listener;
    this.#serving = serving;
    this.peer = peer;
    this.wait("request", serving.timeouts.headMs);
  }

  get isClosed(): boolean {
    return this.#closed;
  }
  /** The client sent FIN. */
  get hasEnded(): boolean {
    return this.#ended;
  }

  // --- time -------------------------------------------------------------------------------------------------

  /** Waits for `what` at most `ms`. Called at every message, so the wheel only notes a later time. */
  wait(what: Wait, ms: number): void {
    if (this.#closed) return;
    this.#wait = what;
    this.#serving.wheel.schedule(this, ms);
  }

  /** The wait is over. */
  onTimer(): void {
    if (this.#closed) return;
    try {
      this.#timedOut();
    } catch (error) {
      this.crashed(error);
    }
  }

  #timedOut(): void {
    switch (this.#wait) {
      case "request":
      case "linger":
        return this.#giveUp();
      case "head":
        return this.#serving.refuse(this, "head-timeout");
      case "queue":
      case "hold":
      case "connect":
      case "first-byte":
      case "fetch":
      case "stream":
      case "send":
      case "tunnel":
        this.exchange?.timedOut(this.#wait);
    }
  }

  // --- reading ----------------------------------------------------------------------------------------------

  received(bytes: Uint8Array, start: number, end: number): void {
    if (this.#isClosing) return;
    const used = this.exchange?.requestBytes(bytes, start, end) ?? start;
    if (used === end || this.#isClosing) return;
    if (this.#input !== undefined) {
      this.#keep(bytes, used, end);
      this.#readInput();
    } else {
      const left = this.#readRequests(bytes, used, end);
      if (left < end && !this.#isClosing) this.#keep(bytes, left, end);
    }
  }

  /** Reads requests from `bytes[start, end)` until one must be waited for; the offset of what is left. */
  #readRequests(bytes: Uint8Array, start: number, end: number): number {
    this.#reads = true;
    let at = start;
    while (at < end && this.#isFree) {
      const next = this.#serving.readRequest(this, bytes, at, end);
      if (next === at) {
        this.#awaitHead();
        break;
      }
      this.#served = true;
      at = next;
    }
    this.#reads = false;
    return at;
  }

  #readInput(): void {
    const input = this.#input;
    if (input === undefined || this.#reads) return;
    input.start = this.#readRequests(input.bytes, input.start, input.end);
    if (input.length === 0 || this.#isClosing) this.#input = undefined;
  }

  /** Who does not read the answers gets no further ones: requests wait until what was sent has gone. */
  get #isFree(): boolean {
    return this.exchange === undefined && this.outbox === undefined && !this.#isClosing;
  }

  /** Closed, or about to be: what still comes is dropped. */
  get #isClosing(): boolean {
    return this.#closed || this.#wait === "linger";
  }

  #awaitHead(): void {
    if (this.#ended) this.close();
    else if (this.#wait !== "head") this.wait("head", this.#serving.timeouts.headMs);
  }

  /** Keeps bytes for later; stops reading when pipelined ones are more than a head may be. */
  #keep(bytes: Uint8Array, start: number, end: number): void {
    this.#input ??= new Input();
    this.#input.append(bytes, start, end);
    if (!this.#isFree && this.#isFull) this.pause();
  }

  get #isFull(): boolean {
    return this.#input !== undefined && this.#input.length > this.#serving.limits.headBytesMax;
  }

  /** Hands over what came ahead of its time: a client that changes protocol may not wait for the 101. */
  takeInput(): Input | undefined {
    const input = this.#input;
    this.#input = undefined;
    return input;
  }

  pause(): void {
    if (this.#paused || this.#closed) return;
    this.#paused = true;
    this.socket.pause();
  }
  resume(): void {
    if (!this.#paused || this.#closed) return;
    this.#paused = false;
    this.socket.resume();
  }

  /** The client sent FIN. It may still read: an exchange under way goes on, then the connection closes. */
  ended(): void {
    this.#ended = true;
    if (this.exchange !== undefined) this.exchange.requestEnded();
    else if (this.outbox === undefined) this.close();
  }

  // --- writing ----------------------------------------------------------------------------------------------

  /** Sends to the client; on `SEND.waits` the source should pause until `drained`. */
  send(bytes: Uint8Array, start: number, end: number): SendResult {
    return this.#closed ? SEND.gone : send(this, bytes, start, end);
  }

  /** Sends what the kernel takes and keeps nothing: how much that was; `drained` follows when it was not all. */
  offer(bytes: Uint8Array, start: number, end: number): number {
    if (this.#closed) return -1;
    return this.outbox === undefined ? this.socket.write(bytes, start, end - start) : 0;
  }

  drained(): void {
    if (this.#closed) return;
    if (this.outbox === undefined) return this.exchange?.downstreamDrained();
    const flushed = flush(this);
    if (flushed === FLUSH.empty) this.#allSent();
    else if (flushed === FLUSH.moved) this.#moved();
    // Where nothing is read either, nothing else would tell of its end.
    else if (flushed === FLUSH.gone) this.socket.terminate();
  }

  #allSent(): void {
    if (this.#shutsDown) this.socket.shutdown();
    if (this.exchange !== undefined) this.exchange.downstreamDrained();
    else if (this.#wait === "linger") this.#closeNow();
    else this.#next();
  }

  /** A slow client is not a stalled one: as long as it takes bytes, it has time. */
  #moved(): void {
    if (this.exchange !== undefined) this.exchange.downstreamMoved();
    else if (this.#wait === "linger") this.wait("linger", this.#serving.timeouts.idleMs);
    else this.wait("request", this.#serving.timeouts.keepAliveMs);
  }

  /** Half-closes once all is sent: the client sees the end of what we send. */
  shutdown(): void {
    if (this.#closed) return;
    if (this.outbox === undefined) this.socket.shutdown();
    else this.#shutsDown = true;
  }

  /** The exchange is complete: on to the next request, or close. */
  exchangeDone(close: boolean, linger: boolean): void {
    this.exchange = undefined;
    if (this.#closed) return;
    if (close || this.listener.closing) return this.close(linger);
    this.wait("request", this.#serving.timeouts.keepAliveMs);
    if (this.outbox !== undefined || this.#reads) return;
    if (this.#paused || this.#input !== undefined || this.#ended) this.#next();
  }

  /** Reads the requests that waited; a client that has said its last word gets its last answer, then the close. */
  #next(): void {
    if (!this.#isFull) this.resume();
    this.#readInput();
    if (this.#isIdle && (this.#ended || this.listener.closing)) this.close();
  }

  get #isIdle(): boolean {
    return this.exchange === undefined && this.outbox === undefined && this.#input === undefined;
  }

  /**
   * The listener closes: an idle connection closes now, a busy one after its exchange. One on which a request is on
   * its way, or that has only just come, is still answered.
   */
  drain(): void {
    if (this.#isIdle && this.#served) this.wait("request", LAST_CALL_MS);
  }

  /**
   * Closes once all is sent. When the client may still be sending (`linger`), half-closes and reads on for a while:
   * an immediate close would reset the connection and could destroy the response on its way (RFC 9112 §9.6).
   */
  close(linger = false): void {
    if (this.#isClosing) return;
    // Bytes that nobody has read would turn the close into a reset.
    const lingers = (linger || this.#paused || this.#input !== undefined) && !this.#ended;
    this.#input = undefined;
    if (this.outbox === undefined && !lingers) {
      this.socket.end();
      return;
    }
    this.resume();
    this.#lingers = lingers;
    this.wait("linger", this.outbox === undefined ? LINGER_MS : this.#serving.timeouts.idleMs);
    if (this.outbox === undefined) this.socket.shutdown();
  }

  /** All is sent to a client that is being closed. */
  #closeNow(): void {
    if (!this.#lingers) {
      this.socket.end();
      return;
    }
    this.socket.shutdown();
    this.wait("linger", LINGER_MS);
  }

  /** The bound of a wait with nothing under way: closes in order, unless the client left bytes of ours unread. */
  #giveUp(): void {
    if (this.outbox === undefined) this.socket.end();
    else this.destroy();
  }

  /** Ends all: the exchange under way with `code`, then the connection. */
  cut(code: GatewayErrorCode): void {
    this.exchange?.abandon(code);
    this.destroy();
  }

  /** Our own code threw while it handled an event of this connection. */
  crashed(error: unknown): void {
    this.#serving.reportCrash(error);
    const { exchange } = this;
    const hasLostItsPlace = this.#reads;
    this.#reads = false;
    if (hasLostItsPlace) this.#input = undefined;
    try {
      exchange?.fail("internal");
      // Where in the bytes the next request begins, or whether this one has been read, is not known any more.
      if (exchange === undefined || this.exchange !== undefined) this.destroy();
      else if (hasLostItsPlace) this.close();
    } catch (second) {
      this.#serving.reportCrash(second);
      this.#cutOff();
    }
  }

  #cutOff(): void {
    try {
      this.destroy();
    } catch (error) {
      this.#serving.reportCrash(error);
    }
  }

  /** Resets the connection: the client must not take what it has for a whole response. */
  destroy(): void {
    if (!this.#closed) this.socket.terminate();
  }

  /** The socket is gone. */
  closed(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#input = undefined;
    this.outbox = undefined;
    this.#serving.wheel.cancel(this);
    this.listener.left(this);
    const exchange = this.exchange;
    this.exchange = undefined;
    exchange?.downstreamClosed();
  }
}
