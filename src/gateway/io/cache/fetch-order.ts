/** What to fetch for the cache, and by what it is found. */
import type { Conditions, SliceAsked } from "../../../edge/index.ts";
import type { Client } from "../client.ts";
import type { Plan } from "../plan.ts";
import type { CacheKey } from "./cache-key.ts";
import type { RuleCache } from "./rule-cache.ts";

/** What to fetch. */
export interface FetchOrder {
  readonly client: Pick<Client, "listener" | "peer">;
  readonly plan: Plan;
  readonly cache: RuleCache;
  readonly key: CacheKey;
  /** Values that select the stored response in question; "" for none. */
  readonly variant: string;
  /** Of the stored response that is asked about; undefined for a plain fetch. */
  readonly conditions: Conditions | undefined;
  /** It is for one slice of the body; undefined: for all of it. */
  readonly slice: SliceOrder | undefined;
}

/** One slice to fetch. */
export interface SliceOrder {
  readonly number: number;
  readonly asked: SliceAsked;
  /** What a response that is no slice is found by. */
  readonly whole: CacheKey;
}

/** How a fetch begins: whether others may join it, and when it was asked for. */
export interface FetchStart {
  readonly isShared: boolean;
  readonly wallMs: number;
}
