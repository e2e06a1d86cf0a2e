/**
 * A body on its way from the store, or from the disk below it (disk-sending.ts), to one client. Of a small one the client gets a copy; a large one stays where it is,
 * pinned, until the client has taken it: a slow client costs a pin, not a copy. Pins are few; without one a request for
 * something large goes to a target instead, which can be made to wait.
 */
import type { Exchange } from "../exchange.ts";
import type { Request } from "../request.ts";
import type { Serving } from "../serving.ts";
import { DiskSending } from "./disk-sending.ts";
import type { Held } from "./edge-disk.ts";

/** Why a large body goes around the cache when no pin is left. */
export const TOO_MANY_SLOW = "too-many-slow-clients";

const NO_PIN = -1;

/** The largest body of which a slow client may cost a copy, in bytes. */
const COPIED_BYTES_MAX = 256 * 1024;

const NOTHING = new Uint8Array(0);

export class Sending {
  readonly #exchange: Exchange;
  readonly #serving: Serving;
  readonly #request: Request;
  #pin = NO_PIN;
  #bytes: Uint8Array = NOTHING;
  #start = 0;
  #at = 0;
  #end = 0;
  #status = 0;
  #isActive = false;
  #disk: DiskSending | undefined;
  /** Where an answer goes on when the disk does not give it: before anything was sent. */
  readonly #withoutDisk: () => void;

  // oxlint-disable-next-line max-params -- the parts of an exchange, and a way back
  constructor(exchange: Exchange, serving: Serving, request: Request, withoutDisk: () => void) {
    this.#withoutDisk = withoutDisk;
    this.#exchange = exchange;
    this.#serving = serving;
    this.#request = request;
  }

  get isActive(): boolean {
    return this.#isActive || this.#disk?.isActive === true;
  }

  /** Whether a body of this size can be sent: a large one needs a pin; from the disk it has to be one of few. */
  mayHold(bodyBytes: number, held?: Held): boolean {
    if (held !== undefined) return this.#serving.edge?.disk?.maySend === true;
    if (bodyBytes <= COPIED_BYTES_MAX) return true;
    this.#pin = this.#serving.edge?.store.pin() ?? NO_PIN;
    return this.#pin !== NO_PIN;
  }

  /** `bytes[start, end)` of the store follow the head that has been sent. */
  hold(bytes: Uint8Array, start: number, end: number): void {
    if (this.#pin === NO_PIN) {
      this.#exchange.sendDown(bytes, start, end);
      return;
    }
    this.#bytes = bytes;
    this.#start = start;
    this.#at = start;
    this.#end = end;
    this.#isActive = true;
  }

  /** The same for what is on disk: `[start, end)` of its body, behind a head that goes out with the first of it. */
  holdOnDisk(held: Held, head: Uint8Array, start: number, end: number): void {
    this.#disk ??= new DiskSending(this.#exchange, this.#serving, this.#request, this.#withoutDisk);
    this.#disk.hold(held, head, start, end);
  }

  /** Begins to send what is held; nothing may be. */
  start(status: number): void {
    if (this.#disk?.isActive === true) return this.#disk.start(status);
    this.#status = status;
    if (this.#isActive) this.pump();
    else this.#exchange.answered(status);
  }

  /** Sends as much as the client takes. */
  pump(): void {
    if (this.#disk?.isActive === true) return this.#disk.pump();
    while (this.#at < this.#end) {
      const taken = this.#request.down?.offer(this.#bytes, this.#at, this.#end) ?? -1;
      if (taken < 0) return;
      this.#at += taken;
      if (this.#at < this.#end) return this.#exchange.wait("send", this.#request.timeouts.idleMs);
    }
    const status = this.#status;
    const bytes = this.#end - this.#start;
    this.clear();
    this.#exchange.answered(status, bytes);
  }

  /** The disk is too slow. */
  timedOut(): void {
    this.#disk?.giveUp();
  }

  clear(): void {
    this.#disk?.clear();
    if (this.#pin !== NO_PIN) this.#serving.edge?.store.unpin(this.#pin);
    this.#pin = NO_PIN;
    this.#bytes = NOTHING;
    this.#isActive = false;
  }
}
