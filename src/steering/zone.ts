/** The names of the zone: which are there, and what stands at them (RFC 1034 §4.3.2, RFC 4592 for "*"). */
import type { SteeringConfig } from "../config/index.ts";

/** What stands at a name. */
export type ZoneName =
  /** Not of this zone. */
  | { readonly kind: "outside" }
  /** In the zone, and not there. */
  | { readonly kind: "absent" }
  | {
      readonly kind: "there";
      /** It has SOA and NS. */
      readonly isApex: boolean;
      /** It leads to an edge. */
      readonly isSteered: boolean;
      /** Addresses of its own: a name server's. */
      readonly addresses: readonly string[];
    };

export class Zone {
  readonly apex: string;
  readonly #steered: ReadonlySet<string>;
  readonly #hasWildcard: boolean;
  readonly #nameservers: ReadonlyMap<string, readonly string[]>;
  /** All names that are there, those that only have names below them as well. */
  readonly #there: ReadonlySet<string>;

  constructor({ zone, names, nameservers }: Pick<SteeringConfig, "zone" | "names" | "nameservers">) {
    this.apex = zone;
    this.#hasWildcard = names.includes("*");
    const plain = names.filter((name) => name !== "*");
    this.#steered = new Set(plain.map((name) => (name === "@" ? zone : `${name}.${zone}`)));
    const own = nameservers.filter(({ name }) => this.#isBelow(name));
    this.#nameservers = new Map(own.map(({ name, addresses }) => [name, addresses]));
    this.#there = new Set(
      [zone, ...this.#steered, ...this.#nameservers.keys()].flatMap((name) => this.#upToApex(name)),
    );
  }

  /** What stands at a name, given in small letters. */
  at(name: string): ZoneName {
    if (name !== this.apex && !this.#isBelow(name)) return { kind: "outside" };
    const isThere = this.#there.has(name);
    if (!isThere && !this.#isWild(name)) return { kind: "absent" };
    return {
      kind: "there",
      isApex: name === this.apex,
      isSteered: this.#steered.has(name) || !isThere,
      addresses: this.#nameservers.get(name) ?? [],
    };
  }

  /** A "*" stands for what has nothing between itself and the zone that is there. */
  #isWild(name: string): boolean {
    if (!this.#hasWildcard) return false;
    const above = this.#upToApex(name).slice(1, -1);
    return above.every((each) => !this.#there.has(each));
  }

  #isBelow(name: string): boolean {
    return name.endsWith(`.${this.apex}`);
  }

  /** The name and all above it, the zone last. */
  #upToApex(name: string): string[] {
    if (name === this.apex) return [name];
    return [name, ...this.#upToApex(name.slice(name.indexOf(".") + 1))];
  }
}
