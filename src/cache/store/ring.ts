/** Which cache servers a key belongs to: the consistent-hash ring of the load balancer, and the servers that follow on it. */
import { type Placement, placementOf } from "../../balance/index.ts";
import { murmur3String } from "../../base/index.ts";

const KEY_SEED = 0x6b65_7973;

/** Owners of keys among named servers. */
export class ServerRing {
  readonly ids: readonly string[];
  readonly #placement: Placement;

  constructor(ids: readonly string[]) {
    this.ids = [...ids].toSorted();
    this.#placement = placementOf(this.ids);
  }

  /** The server that the key belongs to, then those that follow on the ring, each once; at most `count`. O(log points). */
  owners(key: string, count: number): string[] {
    const owners = this.#placement.owners(murmur3String(key, KEY_SEED), Math.min(count, this.ids.length));
    return owners.map((at) => this.ids[at] ?? "");
  }
}
