/**
 * Which objects are worth a write.
 *
 * Three quarters of the objects that a delivery network sees are asked for once (Maggs and Sitaraman, "Algorithmic
 * nuggets in content delivery", CCR 2015); keeping those out halved Akamai's disk writes. What leaves memory is written
 * when it was asked for at least twice there, or when it is offered a second time: then two fetches asked for it. Ghosts
 * remember what was offered and not taken.
 */
import { type DiskIndex, GHOST_WAYS } from "./layout.ts";
import type { DiskRefusal } from "./reasons.ts";

/** What is known of an object that is offered. */
export interface Offered {
  /** How often it was asked for while it was in memory, up to 3; 0 for what never was there. */
  readonly access: number;
  /** Whether it was offered before, not long ago, and not taken. */
  readonly wasOffered: boolean;
  /** Bytes on disk. */
  readonly bytes: number;
}

/** Says why an object is not written; undefined when it is. */
export type Admission = (offered: Offered) => DiskRefusal | undefined;

/** Uses in memory that are enough: the one that brought it there is not counted. */
const ACCESS_MIN = 2;

/** The default: asked for twice, in whatever way that is known. */
export function admitUsedAgain({ access, wasOffered }: Offered): DiskRefusal | undefined {
  return access >= ACCESS_MIN || wasOffered ? undefined : "not-used-again";
}

/** For who has a disk that does not wear: everything. */
export function admitEverything(): undefined {}

/** Fingerprints of what was offered and not taken, shared by all workers. Lossy, and right enough whoever wins. */
export class DiskGhosts {
  readonly #words: Int32Array;
  readonly #first: number;
  readonly #sets: number;

  constructor({ words, layout }: DiskIndex) {
    this.#words = words;
    this.#first = layout.ghosts;
    this.#sets = layout.sizes.ghostSets;
  }

  /** Whether the object is remembered; if not, it is now, and the oldest of its set is forgotten. */
  wasOffered(hashHi: number, hashLo: number): boolean {
    const set = this.#first + Math.floor(((hashLo >>> 0) / 2 ** 32) * this.#sets) * GHOST_WAYS;
    const mark = hashHi | 1;
    for (let at = set; at < set + GHOST_WAYS; at++) if (this.#words[at] === mark) return true;
    this.#words.copyWithin(set + 1, set, set + GHOST_WAYS - 1);
    this.#words[set] = mark;
    return false;
  }
}
