/** A body as far as it has come, in pieces, without those at its beginning that nobody needs any more. */
import type { Piece } from "./edge.ts";

export class Chunks {
  #pieces: Piece[] = [];
  /** Offset in the body of the first piece. */
  #base = 0;

  get pieces(): readonly Piece[] {
    return this.#pieces;
  }

  /** Adds `bytes`, which are the body's own from now on. */
  push(bytes: Uint8Array): void {
    this.#pieces.push({ bytes, start: 0, end: bytes.length });
  }

  /** The bytes at `offset`: the piece, and where in it. Undefined when they have not come yet. O(pieces). */
  at(offset: number): { readonly bytes: Uint8Array; readonly start: number } | undefined {
    let at = this.#base;
    for (const { bytes, end } of this.#pieces) {
      if (offset < at + end) return { bytes, start: offset - at };
      at += end;
    }
    return undefined;
  }

  /** Forgets the pieces that end at or before `offset`. */
  trim(offset: number): void {
    for (let first = this.#pieces[0]; first !== undefined; first = this.#pieces[0]) {
      if (this.#base + first.end > offset) return;
      this.#base += first.end;
      this.#pieces.shift();
    }
  }
}
