/**
 * Path globs, compiled to the source of a regular expression.
 *
 * "*" is any run inside one segment, "?" one character of a segment, "**" as a whole segment any number of segments
 * (none too), "**" elsewhere any run. The result is anchored at both ends and never backtracks over a "/".
 */

const TOKENS = /\/\*\*(?=\/)|\*\*|\*|\?|[^*?]/gu;

const MEANING: Readonly<Record<string, string>> = {
  "/**": "(?:/[^/]*)*",
  "**": ".*",
  "*": "[^/]*",
  "?": "[^/]",
};

/** "/img/**\/*.png" -> "^/img(?:/[^/]*)*\/[^/]*\.png$". */
export function globSource(glob: string): string {
  const tokens = glob.match(TOKENS) ?? [];
  return `^${tokens.map((token) => MEANING[token] ?? escapeRegex(token)).join("")}$`;
}

/** `text` so that a regular expression matches it literally. */
export function escapeRegex(text: string): string {
  return text.replaceAll(/[\\^$.*+?()[\]{}|]/g, String.raw`\$&`);
}
