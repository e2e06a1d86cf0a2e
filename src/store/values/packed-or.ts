/** What stands behind one entry: packed bytes while it is small, a structure of its own when it has grown. */
import type { Keyspace, Structure } from "../keyspace.ts";
import { Packed } from "./packed.ts";

/** One walk for all that change what they walk over: the commands run one after the other. */
const packed = new Packed();

/** The value of one entry, `L` when it is large: `open`, then ask. One object serves all entries. */
export class PackedOr<L extends Structure> {
  /** The entry; changes when the value grows. */
  ref = 0;
  /** Undefined while it is packed. */
  large: L | undefined;
  readonly #Large: new (
    ...parts: never[]
  ) => L;
  #space: Keyspace | undefined;

  constructor(Large: new (...parts: never[]) => L) {
    this.#Large = Large;
  }

  open(space: Keyspace, ref: number): void {
    this.#space = space;
    this.ref = ref;
    const structure = space.structureOf(ref);
    this.large = structure instanceof this.#Large ? structure : undefined;
  }

  get space(): Keyspace {
    if (this.#space === undefined) throw new Error("value: not opened");
    return this.#space;
  }

  /** Stands before the first element of what is packed; good until the next call. */
  walk(): Packed {
    return packed.open(this.space.dict, this.ref);
  }

  /** The same, good while other values are walked over. */
  ownWalk(): Packed {
    return new Packed().open(this.space.dict, this.ref);
  }

  /** `large` takes the place of what is packed. */
  grow(large: L): void {
    this.ref = this.space.setStructure(this.ref, large);
    this.large = large;
  }
}
