/** The structure of an expression, before anybody asks what its words mean. */
import type { Token } from "./tokens.ts";

/** How many are needed of how many. */
export interface Count {
  readonly needed: number;
  readonly of: number;
}

/** A named part as written. */
export interface WrittenPart {
  readonly kind: "part";
  readonly token: Token;
  readonly count?: Count;
  readonly settings: readonly Token[];
}

/** A bracket as written. */
export interface WrittenGroup {
  readonly kind: "group";
  readonly token: Token;
  /** All of those inside, any, or some. */
  readonly way: "series" | "parallel" | Count;
  readonly members: readonly Written[];
  readonly settings: readonly Token[];
}

/** Either. */
export type Written = WrittenPart | WrittenGroup;
