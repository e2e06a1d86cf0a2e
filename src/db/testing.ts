/** Builders for the tests of this part. */
import { Statements, type TextFacts } from "../sql/index.ts";

const statements = new Statements();

/** What a router sees in a text. */
export function factsText(text: string): TextFacts {
  return statements.of(text);
}
