/**
 * What a body that is sent in slices asks of the disk: for the slice at hand, on which it waits, and for the next one, on
 * which it does not. What is found goes back into memory, where it is looked up like any other.
 */
import { isSameRepresentation, type Representation, type StoredResponse } from "../../../edge/index.ts";
import type { CacheKey } from "./cache-key.ts";
import type { Reading } from "./edge-disk.ts";
import { laterFor } from "./later.ts";
import { representationOf } from "./slice-order.ts";
import type { Sender } from "./stored-answer.ts";

/** Before the first byte. */
const NOWHERE = -1;

export class SliceLook {
  readonly #sender: Omit<Sender, "sending">;
  readonly #goOn: () => void;
  /** Where in the body the latest look was for. */
  #at = NOWHERE;
  /** Grows when what is being read is wanted no more. */
  #turn = 0;
  /** The slice at hand is being read. */
  isReading = false;

  /** `goOn` is called when the slice at hand has been read, or is not there. */
  constructor(sender: Omit<Sender, "sending">, goOn: () => void) {
    this.#sender = sender;
    this.#goOn = goOn;
  }

  /**
   * Whether the disk is asked for the slice at hand of a representation, which is wanted from `at` in the body on. It is
   * asked again only when some of the body has been sent since: what memory loses at once is not read for ever.
   */
  begin(key: CacheKey, of: Representation, at: number): boolean {
    if (at <= this.#at) return false;
    const turn = this.#turn + 1;
    const isAsked = this.#read(key, of, () => {
      if (turn !== this.#turn) return;
      this.isReading = false;
      this.#goOn();
    });
    if (!isAsked) return false;
    this.#turn = turn;
    this.#at = at;
    this.isReading = true;
    return true;
  }

  /** Whether the disk is asked for a slice ahead of its time; `absent` is called if it turns out not to be there. */
  ahead(key: CacheKey, of: Representation, absent: () => void): boolean {
    return this.#read(key, of, (reading) => {
      if (reading !== "there") absent();
    });
  }

  #read(key: CacheKey, of: Representation, done: (reading: Reading) => void): boolean {
    const { exchange, serving, request } = this.#sender;
    const { edge } = serving;
    if (edge?.disk?.mayHave(key) !== true) return false;
    const { number, down } = request;
    const matches = (stored: StoredResponse): boolean => {
      const found = representationOf(stored, serving.wallMs());
      if (found === undefined || !isSameRepresentation(found, of)) return false;
      // Whoever has left wanted it, and others may.
      if (request.number !== number || request.down !== down) return true;
      exchange.view();
      return edge.matches(stored);
    };
    edge.disk.read("slice", key, matches, laterFor(request, done));
    serving.transport.yieldSoon();
    return true;
  }

  /** On as if there were no disk. */
  giveUp(): void {
    this.#turn++;
    this.isReading = false;
  }

  clear(): void {
    this.giveUp();
    this.#at = NOWHERE;
  }
}
