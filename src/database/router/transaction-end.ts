/** Which statements end a transaction: what a client may be told when its server was lost while they ran. */

/** How much a statement commits of the transaction in which it is sent. "maybe": it is one of several, or a procedure. */
export const COMMITS = { no: 0, maybe: 1, all: 2 } as const;

const COMMIT = /^\s*(?:commit|end|prepare\s+transaction)\b/i;
const COMMIT_WORD = /\b(?:commit|end|prepare\s+transaction)\b/i;
const SEVERAL = /;\s*\S/;

/** What the text of one query commits. */
export function commitsOf(text: string): number {
  if (!COMMIT_WORD.test(text)) return COMMITS.no;
  return COMMIT.test(text) && !SEVERAL.test(text) ? COMMITS.all : COMMITS.maybe;
}

const END = /^\s*(rollback|abort|commit|end)(?:\s+(?:work|transaction))?\s*;?\s*$/i;

/** How a statement ends a transaction that has failed; undefined: it does not. */
export function endOf(text: string): "rollback" | "commit" | undefined {
  const word = END.exec(text)?.[1]?.toLowerCase();
  if (word === undefined) return undefined;
  return word === "rollback" || word === "abort" ? "rollback" : "commit";
}
