/**
 * A body on its way from the disk to one client: read in pieces, the next one when the client has taken the last, so that a
 * slow client costs one piece. The head goes out with the first: until then what turns out to be broken is a miss.
 */
import type { Exchange } from "../exchange.ts";
import type { Request } from "../request.ts";
import type { Serving } from "../serving.ts";
import type { Held } from "./edge-disk.ts";

/** A piece: what a slow client may cost of a small body, too. */
const PIECE_BYTES = 256 * 1024;

/** How long a client waits for the first piece before a target is asked. */
export const DISK_WAIT_MS = 2000;

const NOTHING = new Uint8Array(0);

export class DiskSending {
  readonly #exchange: Exchange;
  readonly #serving: Serving;
  readonly #request: Request;
  #held: Held | undefined;
  #head: Uint8Array = NOTHING;
  #status = 0;
  /** Offsets in the body: where it starts, what has been read, where it ends. */
  #start = 0;
  #read = 0;
  #end = 0;
  /** What was read last, and how much of it is sent. */
  #piece: Uint8Array = NOTHING;
  #sent = 0;
  #isReading = false;
  /** Grows when what is being read is wanted no more. */
  #turn = 0;
  readonly #withoutDisk: () => void;

  /** `withoutDisk` is called when the disk does not give what it has said to have, before anything was sent. */
  // oxlint-disable-next-line max-params -- the parts of an exchange, and a way back
  constructor(exchange: Exchange, serving: Serving, request: Request, withoutDisk: () => void) {
    this.#withoutDisk = withoutDisk;
    this.#exchange = exchange;
    this.#serving = serving;
    this.#request = request;
  }

  get isActive(): boolean {
    return this.#held !== undefined;
  }

  /** `head`, and `[start, end)` of the body behind it. */
  hold(held: Held, head: Uint8Array, start: number, end: number): void {
    const disk = this.#serving.edge?.disk;
    if (disk === undefined) return;
    disk.sends++;
    held.retain();
    this.#held = held;
    this.#head = head;
    this.#start = start;
    this.#read = start;
    this.#end = end;
  }

  start(status: number): void {
    this.#status = status;
    this.#readOn();
  }

  #readOn(): void {
    const turn = ++this.#turn;
    const { down, timeouts } = this.#request;
    this.#isReading = true;
    if (this.#head === NOTHING) this.#exchange.wait("send", timeouts.idleMs);
    else this.#exchange.wait("fetch", DISK_WAIT_MS);
    void this.#held?.record.body(this.#read, Math.min(this.#end, this.#read + PIECE_BYTES)).then((piece) => {
      if (turn !== this.#turn) return;
      try {
        this.#came(piece);
      } catch (error) {
        down?.crashed(error);
      }
    });
    this.#serving.transport.yieldSoon();
  }

  #came(piece: Uint8Array | string): void {
    this.#isReading = false;
    const head = this.#head;
    if (typeof piece === "string" || piece.length === 0) {
      if (head !== NOTHING) return this.giveUp();
      return this.#exchange.abandon("cache-cut");
    }
    this.#head = NOTHING;
    this.#piece = piece;
    this.#sent = 0;
    this.#read += piece.length;
    if (head.length > 0) this.#exchange.sendDown(head, 0, head.length);
    this.pump();
  }

  /** Sends as much as the client takes. */
  pump(): void {
    while (!this.#isReading && this.isActive) {
      const piece = this.#piece;
      const taken = this.#request.down?.offer(piece, this.#sent, piece.length) ?? -1;
      if (taken < 0) return;
      this.#sent += taken;
      if (this.#sent < piece.length) return this.#exchange.wait("send", this.#request.timeouts.idleMs);
      if (this.#read < this.#end) return this.#readOn();
      return this.#finish();
    }
  }

  #finish(): void {
    const status = this.#status;
    const bytes = this.#end - this.#start;
    this.clear();
    this.#exchange.answered(status, bytes);
  }

  /** The first piece does not come, or not in time. */
  giveUp(): void {
    if (this.#held !== undefined) this.#serving.edge?.disk?.forgetHeld(this.#held.key);
    this.clear();
    this.#withoutDisk();
  }

  clear(): void {
    const held = this.#held;
    if (held === undefined) return;
    this.#turn++;
    this.#held = undefined;
    this.#head = NOTHING;
    this.#piece = NOTHING;
    this.#isReading = false;
    const disk = this.#serving.edge?.disk;
    if (disk !== undefined) disk.sends--;
    held.release();
  }
}
