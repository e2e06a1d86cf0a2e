/**
 * Inline requests: a line of words, as a person types it into telnet. Words may be quoted: "…" knows \n \r \t \b \a \xHH and
 * \ before any other character; '…' knows \' alone. Same as Redis' sdssplitargs.
 */

const ESCAPES: Readonly<Record<string, string>> = { n: "\n", r: "\r", t: "\t", b: "\b", a: "\x07" };

/** Splits a line (Latin-1) into its words; undefined when quotes are unbalanced. */
export function splitInline(line: string): string[] | undefined {
  const words: string[] = [];
  let at = skipSpace(line, 0);
  while (at < line.length) {
    const read = readWord(line, at);
    if (read === undefined) return undefined;
    words.push(read.word);
    at = skipSpace(line, read.end);
  }
  return words;
}

function skipSpace(line: string, from: number): number {
  let at = from;
  while (at < line.length && isSpace(line[at])) at++;
  return at;
}

function isSpace(character: string | undefined): boolean {
  return character === undefined || " \n\r\t\v\f\0".includes(character);
}

function readWord(line: string, from: number): { word: string; end: number } | undefined {
  let word = "";
  let at = from;
  while (at < line.length && !isSpace(line[at])) {
    const quote = line[at];
    if (quote !== '"' && quote !== "'") {
      word += quote;
      at++;
      continue;
    }
    const read = quote === '"' ? readDouble(line, at + 1) : readSingle(line, at + 1);
    // A closing quote must be followed by space or nothing.
    if (read === undefined || !isSpace(line[read.end])) return undefined;
    word += read.word;
    at = read.end;
  }
  return { word, end: at };
}

function readDouble(line: string, from: number): { word: string; end: number } | undefined {
  let word = "";
  for (let at = from; at < line.length; at++) {
    const character = line[at] ?? "";
    if (character === '"') return { word, end: at + 1 };
    if (character !== "\\" || at + 1 >= line.length) {
      word += character;
      continue;
    }
    const hex = /^x([0-9a-f]{2})/i.exec(line.slice(at + 1, at + 4))?.[1];
    if (hex !== undefined) {
      word += String.fromCharCode(Number.parseInt(hex, 16));
      at += 3;
    } else {
      const escaped = line[at + 1] ?? "";
      word += ESCAPES[escaped] ?? escaped;
      at++;
    }
  }
  return undefined;
}

function readSingle(line: string, from: number): { word: string; end: number } | undefined {
  let word = "";
  for (let at = from; at < line.length; at++) {
    const character = line[at] ?? "";
    if (character === "'") return { word, end: at + 1 };
    if (character === "\\" && line[at + 1] === "'") at++;
    word += line[at] ?? "";
  }
  return undefined;
}
