/** A statement with its literals taken out: what stays the same when an app puts values into its SQL. */
import { KIND, Lexer } from "./tokens.ts";

/** A text longer than this is cut: two that begin alike for so long are one statement. */
const TEMPLATE_LENGTH_MAX = 4096;

const lexer = new Lexer();

/**
 * The template of a text: words in lower case, "?" for each literal and parameter, without comments, one space between tokens. Lists of
 * literals are one "?", so that `IN (1, 2, 3)` and `IN (1, 2)` are alike. O(text).
 */
export function templateOf(text: string): string {
  const tokens = lexer.read(text, false);
  let template = "";
  let isAfterLiteral = false;
  for (let at = 0; at < tokens.count && template.length < TEMPLATE_LENGTH_MAX; at++) {
    const kind = tokens.kind(at);
    const isLiteral = kind === KIND.text || kind === KIND.number || kind === KIND.parameter;
    const isRepeated = isLiteral && isAfterLiteral && tokens.name(at - 1) === ",";
    if (isRepeated) template = template.slice(0, -2);
    else template += `${isLiteral ? "?" : kind === KIND.quoted ? tokens.raw(at) : tokens.name(at)} `;
    if (isLiteral) isAfterLiteral = true;
    else if (tokens.name(at) !== ",") isAfterLiteral = false;
  }
  return template.trimEnd();
}
