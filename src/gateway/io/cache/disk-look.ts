/** What one request asks of the disk: whether it waits for that, and what it holds of it. */
import type { Decision, StoredResponse } from "../../../edge/index.ts";
import type { Exchange } from "../exchange.ts";
import type { Request } from "../request.ts";
import type { Serving } from "../serving.ts";
import type { CacheKey } from "./cache-key.ts";
import { DISK_WAIT_MS } from "./disk-sending.ts";
import type { Edge } from "./edge.ts";
import type { Held, Reading } from "./edge-disk.ts";
import { laterFor } from "./later.ts";

/** Reads of one request: what it waited for may be of another variant, or gone from memory at once. */
const LOOKS_MAX = 3;

export class DiskLook {
  readonly #exchange: Exchange;
  readonly #serving: Serving;
  readonly #request: Request;
  /** Looks the request up once more. */
  readonly #lookAgain: () => void;
  #looks = 0;
  #held: Held | undefined;
  /** The disk is being read. */
  isReading = false;
  #isFromDisk = false;

  // oxlint-disable-next-line max-params -- the parts of an exchange, and a way back
  constructor(exchange: Exchange, serving: Serving, request: Request, lookAgain: () => void) {
    this.#exchange = exchange;
    this.#serving = serving;
    this.#request = request;
    this.#lookAgain = lookAgain;
  }

  /** What Cache-Status says of a hit: whether what is found now came from the disk. */
  get detail(): "disk" | "" {
    return this.#isFromDisk ? "disk" : "";
  }

  /**
   * Whether the disk is asked for what is not in memory; then the request goes on later. `slice` is what is wanted in the
   * place of a whole response that the disk does not have.
   */
  begin(edge: Edge, { kind }: Decision, slice: CacheKey | undefined): boolean {
    const isWanted = kind === "miss" || kind === "gateway-timeout";
    if (edge.disk === undefined || !isWanted || this.#looks >= LOOKS_MAX) return false;
    const whole = edge.keyOnDisk();
    const key = whole ?? (slice !== undefined && edge.disk.mayHave(slice) ? slice : undefined);
    if (key === undefined) return false;
    this.#looks++;
    this.isReading = true;
    const { number, down } = this.#request;
    const matches = (stored: StoredResponse): boolean => {
      // Whoever has left wanted it, and others may.
      if (this.#request.number !== number || this.#request.down !== down) return true;
      this.#exchange.view();
      return edge.matches(stored);
    };
    const done = laterFor<Reading>(this.#request, (reading) => {
      if (this.isReading) this.#wasRead(reading);
    });
    edge.disk.read(whole === undefined ? "slice" : "response", key, matches, done);
    this.#exchange.wait("fetch", DISK_WAIT_MS);
    this.#serving.transport.yieldSoon();
    return true;
  }

  #wasRead(reading: Reading): void {
    if (reading === "none") return this.giveUp();
    this.isReading = false;
    this.#isFromDisk = reading === "there";
    this.#lookAgain();
  }

  /** On as if there were no disk. */
  giveUp(): void {
    this.clear();
    this.#looks = LOOKS_MAX;
    this.#lookAgain();
  }

  /** Keeps what was found, until the request is answered. */
  hold(held: Held | undefined): void {
    held?.retain();
    this.#held?.release();
    this.#held = held;
  }

  clear(): void {
    this.#looks = 0;
    this.isReading = false;
    this.#isFromDisk = false;
    this.hold(undefined);
  }
}
