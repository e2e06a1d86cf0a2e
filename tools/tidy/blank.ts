/**
 * Blanks out the parts of a source text that are not code, so that rules may look for words without parsing.
 *
 * Comments, string contents, templates and regular expressions become spaces of the same length: an offset in the
 * blanked text is the same offset in the original. It is a scanner, not a parser. Its one guess is when a slash
 * opens a regular expression: after an operator, a bracket, a line start or `return`.
 */

const TOKEN = new RegExp(
  [
    String.raw`\/\/[^\n]*`,
    String.raw`\/\*[^]*?\*\/`,
    String.raw`"(?:\\.|[^"\\\n])*"`,
    String.raw`'(?:\\.|[^'\\\n])*'`,
    "`(?:\\\\[^]|[^`\\\\])*`",
    String.raw`(?<=(?:[=(,:[!&|?{};+]|=>|\breturn)\s*)\/(?![*/])(?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\\n[])+\/[a-z]*`,
  ].join("|"),
  "g",
);

/** The text with everything but code blanked; quotes stay, so that a string is still seen as one. */
export function codeOnly(text: string): string {
  return text.replace(TOKEN, (token) => {
    const quoted = /^["'`]/.test(token);
    const inner = quoted ? token.slice(1, -1) : token;
    const blank = inner.replace(/[^\n]/g, " ");
    return quoted ? token.charAt(0) + blank + token.charAt(0) : blank;
  });
}
