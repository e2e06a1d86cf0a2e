/**
 * The lexer of PostgreSQL's SQL, as src/backend/parser/scan.l has it: words, quoted names, texts of all kinds, nested comments.
 *
 * It never fails: what PostgreSQL will refuse (a quote that nobody closes) is one token to the end, marked `unfinished`.
 */

/** What a token is. */
export const KIND = { word: 0, quoted: 1, text: 2, number: 3, parameter: 4, operator: 5 } as const;

/** Words that statements are searched for: found while reading, so that a search compares no texts. */
export const KEYWORDS = [
  "insert",
  "update",
  "delete",
  "merge",
  "into",
  "call",
  "create",
  "refresh",
  "for",
  "key",
  "share",
  "temp",
  "temporary",
  "begin",
  "atomic",
  "case",
  "end",
  "select",
  "with",
  "values",
  "table",
  "explain",
  "show",
  "from",
  "where",
  "and",
  "or",
  "in",
  "on",
  "as",
  "set",
  "set_config",
  "pg_temp",
] as const;

/** One of `KEYWORDS`. */
export type Keyword = (typeof KEYWORDS)[number];

/** The tokens of one text, without its comments. Reused: a lexer gives the same object each time. */
export interface Tokens {
  readonly text: string;
  readonly count: number;
  /** A quote or comment is open at the end, so that nobody knows what was meant. */
  readonly unfinished: boolean;
  /** The kind of a token, a value of `KIND`; -1 beyond the end. */
  kind(index: number): number;
  /** The token as it is written. */
  raw(index: number): string;
  /** A word in lower case, a quoted name without its quotes, an operator as it is; "" for all else. */
  name(index: number): string;
  /** The keyword that a word is, or "". */
  keyword(index: number): Keyword | "";
  /** Where it begins in the text. */
  start(index: number): number;
  /** The index after its last character. */
  end(index: number): number;
}

const TAB = 9;
const NEWLINE = 10;
const RETURN = 13;
const SPACE = 32;
const QUOTE = 39;
const DOUBLE = 34;
const DOLLAR = 36;
const AMPERSAND = 38;
const STAR = 42;
const MINUS = 45;
const DOT = 46;
const SLASH = 47;
const BACKSLASH = 92;

const DIGIT = 1;
const LETTER = 2;
const OPERATOR = 4;

/** Character -> what it may be part of; beyond ASCII all are letters. */
const CLASS = new Uint8Array(128);
for (let code = 48; code <= 57; code++) CLASS[code] = DIGIT;
for (let code = 65; code <= 90; code++) CLASS[code] = LETTER;
for (let code = 97; code <= 122; code++) CLASS[code] = LETTER;
CLASS[95] = LETTER;
for (const operator of "+-*/<>=~!@#%^&|`?") CLASS[operator.charCodeAt(0)] = OPERATOR;

const classOf = (code: number): number => (code > 127 ? LETTER : (CLASS[code] ?? 0));
const isSpace = (code: number): boolean =>
  code === SPACE || code === NEWLINE || code === TAB || code === RETURN || code === 12 || code === 11;

/** Adds a letter to the hash of a word, whatever its case. */
const hashed = (hash: number, code: number): number => (Math.imul(hash, 31) + (code | 32)) | 0;

/** Hash -> keyword. No two of them have one hash, which a test sees to. */
const BY_HASH: ReadonlyMap<number, Keyword> = new Map(KEYWORDS.map((word) => [hashOf(word), word]));

function hashOf(word: string): number {
  let hash = 0;
  for (let at = 0; at < word.length; at++) hash = hashed(hash, word.charCodeAt(at));
  return hash;
}

/** Tokens that a lexer makes room for; it grows to what a text needs. */
const TOKENS_FIRST = 256;

/** Cuts texts into tokens. `backslashes`: in plain quotes a backslash escapes (standard_conforming_strings is off). */
export class Lexer implements Tokens {
  text = "";
  count = 0;
  unfinished = false;
  #kinds = new Uint8Array(TOKENS_FIRST);
  #starts = new Int32Array(TOKENS_FIRST);
  #ends = new Int32Array(TOKENS_FIRST);
  #keywords: (Keyword | "")[] = [];
  #backslashes = false;

  /** The tokens of `text`; they hold until the next call. O(length). */
  read(text: string, backslashes = false): Tokens {
    this.text = text;
    this.count = 0;
    this.unfinished = false;
    this.#backslashes = backslashes;
    let at = 0;
    while (at < text.length) at = this.#next(at);
    return this;
  }

  kind(index: number): number {
    return index < this.count ? (this.#kinds[index] ?? -1) : -1;
  }

  raw(index: number): string {
    return index < this.count ? this.text.slice(this.#starts[index], this.#ends[index]) : "";
  }

  name(index: number): string {
    const kind = this.kind(index);
    if (kind === KIND.word) return this.#keywords[index] || this.raw(index).toLowerCase();
    if (kind === KIND.operator) return this.raw(index);
    return kind === KIND.quoted ? unquoted(this.raw(index)) : "";
  }

  keyword(index: number): Keyword | "" {
    return index < this.count ? (this.#keywords[index] ?? "") : "";
  }

  start(index: number): number {
    return this.#starts[index] ?? this.text.length;
  }

  end(index: number): number {
    return this.#ends[index] ?? this.text.length;
  }

  /** Takes one token, or what lies between; gives where the next begins. */
  #next(at: number): number {
    const code = this.text.charCodeAt(at);
    if (isSpace(code)) return at + 1;
    const kind = classOf(code);
    if (kind === LETTER) return this.#word(at, code);
    if (kind === DIGIT) return this.#push(KIND.number, at, this.#numberEnd(at));
    if (code === QUOTE) return this.#push(KIND.text, at, this.#quoteEnd(at, QUOTE, this.#backslashes));
    if (code === DOUBLE) return this.#push(KIND.quoted, at, this.#quoteEnd(at, DOUBLE, false));
    if (code === DOLLAR) return this.#dollar(at);
    if (code === MINUS && this.text.charCodeAt(at + 1) === MINUS) return this.#lineEnd(at);
    if (code === SLASH && this.text.charCodeAt(at + 1) === STAR) return this.#commentEnd(at);
    if (kind === OPERATOR) return this.#push(KIND.operator, at, this.#operatorEnd(at));
    if (
      code === DOT &&
      classOf(this.text.charCodeAt(at + 1)) === DIGIT &&
      this.text.charCodeAt(at - 1) !== DOT
    )
      return this.#push(KIND.number, at, this.#numberEnd(at));
    return this.#push(KIND.operator, at, at + 1);
  }

  #push(kind: number, start: number, end: number): number {
    if (this.count === this.#kinds.length) this.#grow();
    this.#kinds[this.count] = kind;
    this.#starts[this.count] = start;
    this.#ends[this.count] = end;
    this.#keywords[this.count] = "";
    this.count++;
    return end;
  }

  #grow(): void {
    const size = this.#kinds.length * 2;
    const kinds = new Uint8Array(size);
    kinds.set(this.#kinds);
    this.#kinds = kinds;
    this.#starts = larger(this.#starts, size);
    this.#ends = larger(this.#ends, size);
  }

  /** A word, or the text or name that its letter introduces: e'…' b'…' x'…' n'…' u&'…' u&"…". */
  #word(at: number, code: number): number {
    const next = this.text.charCodeAt(at + 1);
    const letter = code | 32;
    if (next === QUOTE && (letter === 101 || letter === 98 || letter === 120 || letter === 110)) {
      const escapes = letter === 101 || (letter === 110 && this.#backslashes);
      return this.#push(KIND.text, at, this.#quoteEnd(at + 1, QUOTE, escapes));
    }
    if (letter === 117 && next === AMPERSAND) {
      const quote = this.text.charCodeAt(at + 2);
      if (quote === QUOTE || quote === DOUBLE)
        return this.#push(
          quote === QUOTE ? KIND.text : KIND.quoted,
          at,
          this.#quoteEnd(at + 2, quote, false),
        );
    }
    let end = at;
    let hash = 0;
    while (end < this.text.length) {
      const part = this.text.charCodeAt(end);
      if (part !== DOLLAR && (classOf(part) & (LETTER | DIGIT)) === 0) break;
      hash = hashed(hash, part);
      end++;
    }
    this.#push(KIND.word, at, end);
    const known = BY_HASH.get(hash);
    if (known?.length === end - at && known === this.text.slice(at, end).toLowerCase())
      this.#keywords[this.count - 1] = known;
    return end;
  }

  /** Digits, a point, an exponent, 0x…, 1_000. Letters right after it are junk that PostgreSQL refuses: they belong to it. */
  #numberEnd(at: number): number {
    let end = at;
    while (end < this.text.length) {
      const code = this.text.charCodeAt(end);
      const isPoint = code === DOT && this.text.charCodeAt(end + 1) !== DOT;
      if (!isPoint && (classOf(code) & (LETTER | DIGIT)) === 0) {
        const isExponent =
          (code === MINUS || code === 43) &&
          (this.text.charCodeAt(end - 1) | 32) === 101 &&
          classOf(this.text.charCodeAt(end + 1)) === DIGIT &&
          /^[\d._]+e$/i.test(this.text.slice(at, end));
        if (!isExponent) break;
      }
      end++;
    }
    return end;
  }

  /** From the quote at `at` to after the one that closes it; a doubled quote is one within. */
  #quoteEnd(at: number, quote: number, escapes: boolean): number {
    let end = at + 1;
    while (end < this.text.length) {
      const code = this.text.charCodeAt(end);
      if (code === BACKSLASH && escapes) end++;
      else if (code === quote) {
        if (this.text.charCodeAt(end + 1) === quote) end++;
        else {
          const next = quote === QUOTE ? this.#continuation(end + 1) : -1;
          if (next < 0) return end + 1;
          end = next;
        }
      }
      end++;
    }
    this.unfinished = true;
    return this.text.length;
  }

  /** The quote that goes on with a text after space with a line end in it, which escapes as the first part does; or -1. */
  #continuation(at: number): number {
    let end = at;
    let isNewLine = false;
    while (end < this.text.length) {
      const code = this.text.charCodeAt(end);
      if (isSpace(code)) {
        isNewLine ||= code === NEWLINE || code === RETURN;
        end++;
      } else if (code === MINUS && this.text.charCodeAt(end + 1) === MINUS) end = this.#lineEnd(end);
      else return isNewLine && code === QUOTE ? end : -1;
    }
    return -1;
  }

  /** $1, $$…$$, $tag$…$tag$, or a lone $. */
  #dollar(at: number): number {
    let end = at + 1;
    if (classOf(this.text.charCodeAt(end)) === DIGIT) {
      while (classOf(this.text.charCodeAt(end)) === DIGIT) end++;
      return this.#push(KIND.parameter, at, end);
    }
    while (end < this.text.length && (classOf(this.text.charCodeAt(end)) & (LETTER | DIGIT)) !== 0) end++;
    if (this.text.charCodeAt(end) !== DOLLAR) return this.#push(KIND.operator, at, at + 1);
    const tag = this.text.slice(at, end + 1);
    const close = this.text.indexOf(tag, end + 1);
    if (close < 0) this.unfinished = true;
    return this.#push(KIND.text, at, close < 0 ? this.text.length : close + tag.length);
  }

  #lineEnd(at: number): number {
    let end = at + 2;
    while (end < this.text.length) {
      const code = this.text.charCodeAt(end);
      if (code === NEWLINE || code === RETURN) break;
      end++;
    }
    return end;
  }

  /** Comments nest. */
  #commentEnd(at: number): number {
    let depth = 1;
    let end = at + 2;
    while (end < this.text.length) {
      const code = this.text.charCodeAt(end);
      const next = this.text.charCodeAt(end + 1);
      if (code === SLASH && next === STAR) {
        depth++;
        end += 2;
      } else if (code === STAR && next === SLASH) {
        depth--;
        end += 2;
        if (depth === 0) return end;
      } else end++;
    }
    this.unfinished = true;
    return this.text.length;
  }

  /** An operator ends where a comment begins. */
  #operatorEnd(at: number): number {
    let end = at + 1;
    while (end < this.text.length) {
      const code = this.text.charCodeAt(end);
      if (classOf(code) !== OPERATOR) break;
      const next = this.text.charCodeAt(end + 1);
      if ((code === MINUS && next === MINUS) || (code === SLASH && next === STAR)) break;
      end++;
    }
    return end;
  }
}

function larger(array: Int32Array<ArrayBuffer>, size: number): Int32Array<ArrayBuffer> {
  const grown = new Int32Array(size);
  grown.set(array);
  return grown;
}

/** `"a""b"` -> `a"b`. A name of U&"…" keeps its escapes: nothing here compares those. */
function unquoted(raw: string): string {
  const open = raw.indexOf('"');
  return raw.slice(open + 1, raw.endsWith('"') ? -1 : undefined).replaceAll('""', '"');
}
