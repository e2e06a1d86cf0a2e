/** What reading a text as data gives: a value, or the place where it is wrong. */
import type { Position } from "../json.ts";

/** See the file. */
export type TextReading =
  | { readonly kind: "ok"; readonly value: unknown }
  | { readonly kind: "wrong"; readonly at: Position; readonly what: string; readonly mend: string };
