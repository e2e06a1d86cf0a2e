/** LCS: the longest common subsequence of two strings, by the usual table. O(n·m) time and memory, the latter bounded. */
import { latin1 } from "../../resp/index.ts";
import type { Call } from "../call.ts";
import { type CommandTable, row, TWO_KEYS } from "../command.ts";
import { TYPE } from "../keyspace.ts";
import { ERR } from "../replies.ts";

interface LcsOptions {
  length: boolean;
  indexes: boolean;
  matchLengths: boolean;
  lengthMin: number;
}

function lcsOptions(call: Call): LcsOptions | undefined {
  const options: LcsOptions = { length: false, indexes: false, matchLengths: false, lengthMin: 0 };
  for (let place = 3; place < call.count; place++) {
    const word = call.word(place);
    if (word === "IDX") options.indexes = true;
    else if (word === "LEN") options.length = true;
    else if (word === "WITHMATCHLEN") options.matchLengths = true;
    else if (word === "MINMATCHLEN" && place + 1 < call.count) {
      const least = call.integer(++place);
      if (least === undefined) return undefined;
      options.lengthMin = Math.max(0, least);
    } else {
      call.fail(ERR.syntax);
      return undefined;
    }
  }
  if (!options.length || !options.indexes) return options;
  call.fail("ERR If you want both the length and indexes, please just use IDX.");
  return undefined;
}

/** The string at `place`, empty for none; undefined after an error was replied. */
function stringAt(call: Call, place: number): string | undefined {
  const { space } = call;
  const ref = call.find(place);
  if (ref === 0) return "";
  if (space.typeOf(ref) === TYPE.string)
    return latin1(space.dict.bytes, space.dict.valueStart, space.dict.valueEnd);
  call.fail("ERR The specified keys must contain string values");
  return undefined;
}

/** Lengths for all pairs of beginnings: of the first `i` of `a` and the first `j` of `b` at `i * (b.length + 1) + j`. */
function lengths(a: string, b: string): Uint32Array {
  const width = b.length + 1;
  const table = new Uint32Array((a.length + 1) * width);
  for (let i = 1; i <= a.length; i++) {
    for (let j = 1; j <= b.length; j++) {
      const at = i * width + j;
      table[at] =
        a.charCodeAt(i - 1) === b.charCodeAt(j - 1)
          ? (table[at - width - 1] ?? 0) + 1
          : Math.max(table[at - width] ?? 0, table[at - 1] ?? 0);
    }
  }
  return table;
}

/** A run that both strings share: first and last place in each. */
type Match = readonly [aFirst: number, aLast: number, bFirst: number, bLast: number];

/** The runs of the subsequence, from the end to the beginning, as Redis gives them. */
function matches(table: Uint32Array, a: string, b: string): Match[] {
  const width = b.length + 1;
  const runs: Match[] = [];
  let [i, j, run] = [a.length, b.length, 0];
  const close = (): void => {
    if (run > 0) runs.push([i, i + run - 1, j, j + run - 1]);
    run = 0;
  };
  while (i > 0 && j > 0) {
    if (a[i - 1] === b[j - 1]) {
      i--;
      j--;
      run++;
      continue;
    }
    close();
    if ((table[(i - 1) * width + j] ?? 0) > (table[i * width + j - 1] ?? 0)) i--;
    else j--;
  }
  close();
  return runs;
}

function lcs(call: Call): void {
  const options = lcsOptions(call);
  if (options === undefined) return;
  const a = stringAt(call, 1);
  const b = a === undefined ? undefined : stringAt(call, 2);
  if (a === undefined || b === undefined) return;
  if ((a.length + 1) * (b.length + 1) * 4 > call.store.settings.argumentBytesMax)
    return call.fail("ERR Insufficient memory, transient memory for LCS exceeds proto-max-bulk-len");
  const table = lengths(a, b);
  const length = table.at(-1) ?? 0;
  const { out } = call;
  if (options.length) return out.integer(length);
  const runs = matches(table, a, b);
  if (!options.indexes)
    return out.bulkText(
      runs
        .toReversed()
        .map(([first, last]) => a.slice(first, last + 1))
        .join(""),
    );
  const shown = runs.filter(([first, last]) => last - first + 1 >= options.lengthMin);
  out.map(2);
  out.bulkText("matches");
  out.array(shown.length);
  for (const match of shown) replyMatch(call, match, options.matchLengths);
  out.bulkText("len");
  out.integer(length);
}

function replyMatch({ out }: Call, [aFirst, aLast, bFirst, bLast]: Match, withLength: boolean): void {
  out.array(withLength ? 3 : 2);
  for (const range of [
    [aFirst, aLast],
    [bFirst, bLast],
  ]) {
    out.array(2);
    for (const place of range) out.integer(place);
  }
  if (withLength) out.integer(aLast - aFirst + 1);
}

/** LCS. */
export const LCS: CommandTable = {
  lcs: row(-3, "readonly", TWO_KEYS, "string", lcs),
};
