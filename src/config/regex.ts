/**
 * What can be wrong with a regular expression of a user: it does not compile, or it repeats a repetition.
 *
 * `(a+)+` and `(\w*\s?)*` are of the second kind. A backtracking engine tries every way to share a text out between
 * the two repetitions, and there are exponentially many; one request would stop a worker. A repetition inside another
 * is harmless when something fixed stands beside it, as in `(/[a-z]+)*`: then each round has one place to begin.
 * Overlapping alternatives, `(a|a)*`, are not looked for.
 */

/** Why `source` does not compile, in the engine's words; undefined when it does. */
export function compileFault(source: string): string | undefined {
  try {
    void new RegExp(source);
    return undefined;
  } catch (error) {
    return (error as Error).message.replace(/^Invalid regular expression: (\/.*\/[a-z]*: )?/s, "");
  }
}

/** What one alternative of a group holds so far. */
interface Branch {
  /** Something that every round must match exactly once. */
  fixed: boolean;
  /** Something without upper bound. */
  repeats: boolean;
}

interface Group {
  readonly lookaround: boolean;
  readonly branches: Branch[];
}

const ATOM = /\\[^]|\[(?:\\[^]|[^\]\\])*\]|\(\?(?:<?[=!])|\((?:\?(?::|<[^>]*>))?|[^]/y;
const QUANTIFIER = /(?:[*+?]|\{(\d+)(,?)(\d*)\})\??/y;
const WIDTHLESS = /^(?:\^|\$|\\[bB])$/;

/** Whether matching `source`, which compiles, can take exponential time because of nested repetition. */
export function nestsRepetition(source: string): boolean {
  const open: Group[] = [newGroup(false)];
  let offset = 0;
  const take = (pattern: RegExp): RegExpExecArray | null => {
    pattern.lastIndex = offset;
    const found = pattern.exec(source);
    offset += found?.[0].length ?? 0;
    return found;
  };
  while (offset < source.length) {
    const atom = take(ATOM)?.[0] ?? "";
    const current = open.at(-1);
    if (!current) return false;
    if (atom.startsWith("(")) open.push(newGroup(/[=!]$/.test(atom)));
    else if (atom === "|") current.branches.push({ fixed: false, repeats: false });
    else {
      const closed = atom === ")" ? open.pop() : undefined;
      const quantifier = readQuantifier(take(QUANTIFIER));
      if (closed && quantifier.unbounded && isLoose(closed)) return true;
      add(open.at(-1), quantifier, closed ? fixes(closed) : !WIDTHLESS.test(atom), closed);
    }
  }
  return false;
}

function newGroup(lookaround: boolean): Group {
  return { lookaround, branches: [{ fixed: false, repeats: false }] };
}

interface Quantifier {
  readonly unbounded: boolean;
  readonly optional: boolean;
}

function readQuantifier(found: RegExpExecArray | null): Quantifier {
  const [text = "", min, comma, max] = found ?? [];
  const unbounded = /^[*+]/.test(text) || (comma === "," && max === "");
  return { unbounded, optional: /^[*?]/.test(text) || min === "0" };
}

/** Whether some round could be all repetition. */
function isLoose({ branches, lookaround }: Group): boolean {
  return !lookaround && branches.some(({ fixed, repeats }) => repeats && !fixed);
}

function fixes({ branches, lookaround }: Group): boolean {
  return !lookaround && branches.every((branch) => branch.fixed);
}

function add(
  parent: Group | undefined,
  quantifier: Quantifier,
  fixed: boolean,
  group: Group | undefined,
): void {
  const branch = parent?.branches.at(-1);
  if (!branch) return;
  if (quantifier.unbounded || (group && isLoose(group))) branch.repeats = true;
  else if (fixed && !quantifier.optional) branch.fixed = true;
}
