/**
 * Memory for small blocks outside the JavaScript heap: no object per block, nothing for the garbage collector to walk.
 *
 *   segment (4 MiB, one typed array) = 64 pages; page (64 KiB) = blocks of one size class, free ones linked through
 *   themselves. A page whose blocks are all free can serve another class.
 *
 * A block is named by a reference: its place in granules of 16 bytes. What is larger than the largest class has memory of
 * its own, and a reference beyond `LARGE`. References are positive int32, so that arrays of them are plain; 0 is none.
 */

/** Bytes of one granule, as a shift. */
const GRANULE_SHIFT = 4;
const SEGMENT_SHIFT = 22;
const PAGE_SHIFT = 16;
/** Granules to segment, and to page. */
const REF_SEGMENT = SEGMENT_SHIFT - GRANULE_SHIFT;
const REF_PAGE = PAGE_SHIFT - GRANULE_SHIFT;
const SEGMENT_MASK = (1 << REF_SEGMENT) - 1;
const PAGES_PER_SEGMENT = 1 << (SEGMENT_SHIFT - PAGE_SHIFT);

/** From here on references name blocks with memory of their own. 2^30 granules below it are 16 GiB. */
const LARGE = 0x4000_0000;

/** Block sizes: steps of 16 up to 128, then four to each doubling: at most a fifth of a block is unused. */
const CLASS_BYTES: readonly number[] = classSizes();
const CLASS_BYTES_MAX: number = CLASS_BYTES.at(-1) ?? 0;

function classSizes(): number[] {
  const sizes: number[] = [];
  for (let size = 16; size <= 128; size += 16) sizes.push(size);
  for (let base = 128; base < 16_384; base *= 2)
    for (let quarter = 1; quarter <= 4; quarter++) sizes.push(base + (base / 4) * quarter);
  return sizes;
}

/** Granules -> class. */
const CLASS_OF: Uint8Array = Uint8Array.from(
  { length: (CLASS_BYTES_MAX >> GRANULE_SHIFT) + 1 },
  (_, granules) => CLASS_BYTES.findIndex((size) => size >= granules << GRANULE_SHIFT),
);

const NO_PAGE = -1;

/** The blocks of one store. */
export class Slab {
  /** Bytes of blocks in use, by the size of their class. */
  usedBytes = 0;
  readonly #bytes: Uint8Array[] = [];
  readonly #words: Int32Array[] = [];
  readonly #large: (Uint8Array | undefined)[] = [];
  readonly #largeWords: Int32Array[] = [];
  readonly #freeLarge: number[] = [];
  #largeBytes = 0;
  #pages = 0;
  /** By page: class, first free block, blocks in use, and its neighbours among the pages of its class that have room. */
  #class = new Uint8Array(PAGES_PER_SEGMENT);
  #free = new Int32Array(PAGES_PER_SEGMENT);
  #used = new Int32Array(PAGES_PER_SEGMENT);
  #next = new Int32Array(PAGES_PER_SEGMENT);
  #previous = new Int32Array(PAGES_PER_SEGMENT);
  /** By class: a page with room. */
  readonly #withRoom: Int32Array = new Int32Array(CLASS_BYTES.length).fill(NO_PAGE);
  /** Pages that serve no class. */
  readonly #emptyPages: number[] = [];

  /** Bytes that were asked of the system, whether or not they are in use. */
  get reservedBytes(): number {
    return (this.#pages << PAGE_SHIFT) + this.#largeBytes;
  }

  /** The memory that a block lies in. */
  bytes(ref: number): Uint8Array {
    const memory = ref < LARGE ? this.#bytes[ref >> REF_SEGMENT] : this.#large[ref - LARGE];
    if (memory === undefined) throw new RangeError(`no block ${ref}`);
    return memory;
  }

  /** The same memory as little words. */
  words(ref: number): Int32Array {
    const memory = ref < LARGE ? this.#words[ref >> REF_SEGMENT] : this.#largeWords[ref - LARGE];
    if (memory === undefined) throw new RangeError(`no block ${ref}`);
    return memory;
  }

  /** Where in its memory a block begins. A multiple of 16. */
  offset(ref: number): number {
    return ref < LARGE ? (ref & SEGMENT_MASK) << GRANULE_SHIFT : 0;
  }

  /** Bytes of a block, unused ones at its end included. */
  capacity(ref: number): number {
    if (ref >= LARGE) return this.bytes(ref).length;
    return CLASS_BYTES[this.#class[ref >> REF_PAGE] ?? 0] ?? 0;
  }

  /** Bytes that a block for `size` would have. */
  capacityFor(size: number): number {
    if (size > CLASS_BYTES_MAX) return (size + 15) & ~15;
    return CLASS_BYTES[CLASS_OF[(size + 15) >> GRANULE_SHIFT] ?? 0] ?? 0;
  }

  /** A block of at least `size` bytes, not cleared. O(1). */
  allocate(size: number): number {
    if (size > CLASS_BYTES_MAX) return this.#allocateLarge((size + 15) & ~15);
    const sizeClass = CLASS_OF[(size + 15) >> GRANULE_SHIFT] ?? 0;
    let page = this.#withRoom[sizeClass] ?? NO_PAGE;
    if (page === NO_PAGE) page = this.#openPage(sizeClass);
    const ref = this.#free[page] ?? 0;
    const next = this.words(ref)[this.offset(ref) >> 2] ?? 0;
    this.#free[page] = next;
    this.#used[page] = (this.#used[page] ?? 0) + 1;
    if (next === 0) this.#unlink(page, sizeClass);
    this.usedBytes += CLASS_BYTES[sizeClass] ?? 0;
    return ref;
  }

  /** Gives a block back. O(1). */
  release(ref: number): void {
    if (ref >= LARGE) return this.#releaseLarge(ref);
    const page = ref >> REF_PAGE;
    const sizeClass = this.#class[page] ?? 0;
    const free = this.#free[page] ?? 0;
    this.words(ref)[this.offset(ref) >> 2] = free;
    this.#free[page] = ref;
    this.usedBytes -= CLASS_BYTES[sizeClass] ?? 0;
    if (free === 0) this.#link(page, sizeClass);
    const used = (this.#used[page] ?? 0) - 1;
    this.#used[page] = used;
    // The last page with room stays open: a class that is used once is used again.
    if (used === 0 && this.#hasNeighbour(page)) {
      this.#unlink(page, sizeClass);
      this.#emptyPages.push(page);
    }
  }

  #hasNeighbour(page: number): boolean {
    return this.#next[page] !== NO_PAGE || this.#previous[page] !== NO_PAGE;
  }

  /** A page for a class, all of whose blocks are free. */
  #openPage(sizeClass: number): number {
    const page = this.#emptyPages.pop() ?? this.#newPage();
    const size = CLASS_BYTES[sizeClass] ?? 16;
    const granules = size >> GRANULE_SHIFT;
    // Reference 0 means none, so the very first block of all is left out.
    const first = (page << REF_PAGE) + (page === 0 ? granules : 0);
    const count = Math.floor((1 << PAGE_SHIFT) / size) - (page === 0 ? 1 : 0);
    const words = this.words(first);
    for (let i = 0, ref = first; i < count; i++, ref += granules)
      words[this.offset(ref) >> 2] = i + 1 < count ? ref + granules : 0;
    this.#class[page] = sizeClass;
    this.#free[page] = first;
    this.#used[page] = 0;
    this.#link(page, sizeClass);
    return page;
  }

  #newPage(): number {
    const page = this.#pages++;
    if (page % PAGES_PER_SEGMENT === 0) this.#newSegment();
    if (page >= this.#class.length) this.#moreRows();
    return page;
  }

  #newSegment(): void {
    if (this.#bytes.length >= LARGE >> REF_SEGMENT) throw new RangeError("16 GiB of small values are in use");
    const memory = new ArrayBuffer(1 << SEGMENT_SHIFT);
    this.#bytes.push(new Uint8Array(memory));
    this.#words.push(new Int32Array(memory));
  }

  #moreRows(): void {
    const length = this.#class.length * 2;
    const grown = (column: Int32Array): Int32Array<ArrayBuffer> => {
      const longer = new Int32Array(length);
      longer.set(column);
      return longer;
    };
    const classes = new Uint8Array(length);
    classes.set(this.#class);
    this.#class = classes;
    this.#free = grown(this.#free);
    this.#used = grown(this.#used);
    this.#next = grown(this.#next);
    this.#previous = grown(this.#previous);
  }

  #link(page: number, sizeClass: number): void {
    const first = this.#withRoom[sizeClass] ?? NO_PAGE;
    this.#next[page] = first;
    this.#previous[page] = NO_PAGE;
    if (first !== NO_PAGE) this.#previous[first] = page;
    this.#withRoom[sizeClass] = page;
  }

  #unlink(page: number, sizeClass: number): void {
    const next = this.#next[page] ?? NO_PAGE;
    const previous = this.#previous[page] ?? NO_PAGE;
    if (next !== NO_PAGE) this.#previous[next] = previous;
    if (previous !== NO_PAGE) this.#next[previous] = next;
    else this.#withRoom[sizeClass] = next;
    this.#next[page] = NO_PAGE;
    this.#previous[page] = NO_PAGE;
  }

  #allocateLarge(size: number): number {
    const memory = new ArrayBuffer(size);
    const place = this.#freeLarge.pop() ?? this.#large.length;
    this.#large[place] = new Uint8Array(memory);
    this.#largeWords[place] = new Int32Array(memory);
    this.usedBytes += size;
    this.#largeBytes += size;
    return LARGE + place;
  }

  #releaseLarge(ref: number): void {
    const place = ref - LARGE;
    const size = this.#large[place]?.length ?? 0;
    this.usedBytes -= size;
    this.#largeBytes -= size;
    this.#large[place] = undefined;
    this.#largeWords[place] = NO_WORDS;
    this.#freeLarge.push(place);
  }
}

const NO_WORDS = new Int32Array(0);
