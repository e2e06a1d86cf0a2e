/** Redis' glob patterns over bytes: `*`, `?`, `[a-z]`, `[^a]`, `\` before any character. Time is linear in text times pattern. */

const STAR = 42;
const QUESTION = 63;
const OPEN = 91;
const CLOSE = 93;
const BACKSLASH = 92;
const CARET = 94;
const DASH = 45;

/** Whether `text[start, end)` matches `pattern`. */
export function matchesGlob(pattern: Uint8Array, text: Uint8Array, start: number, end: number): boolean {
  let p = 0;
  let at = start;
  // Where to go on when what follows the last star does not match: one character further.
  let starP = -1;
  let starAt = 0;
  while (at < end) {
    if (p < pattern.length && pattern[p] === STAR) {
      starP = ++p;
      starAt = at;
      continue;
    }
    const next = p < pattern.length ? matchOne(pattern, p, text[at] ?? 0) : -1;
    if (next >= 0) {
      p = next;
      at++;
    } else if (starP >= 0) {
      p = starP;
      at = ++starAt;
    } else {
      return false;
    }
  }
  while (pattern[p] === STAR) p++;
  return p === pattern.length;
}

/** Where the pattern goes on behind one item that matches `byte`; -1 when it does not. */
function matchOne(pattern: Uint8Array, p: number, byte: number): number {
  const item = pattern[p];
  if (item === QUESTION) return p + 1;
  if (item === OPEN) return matchClass(pattern, p + 1, byte);
  if (item === BACKSLASH && p + 1 < pattern.length) return pattern[p + 1] === byte ? p + 2 : -1;
  return item === byte ? p + 1 : -1;
}

function matchClass(pattern: Uint8Array, from: number, byte: number): number {
  const isNegated = pattern[from] === CARET;
  let p = isNegated ? from + 1 : from;
  let isIn = false;
  while (p < pattern.length && pattern[p] !== CLOSE) {
    if (pattern[p] === BACKSLASH && p + 1 < pattern.length) p++;
    const low = pattern[p] ?? 0;
    if (pattern[p + 1] === DASH && p + 2 < pattern.length) {
      const high = pattern[p + 2] ?? 0;
      isIn ||= byte >= Math.min(low, high) && byte <= Math.max(low, high);
      p += 3;
    } else {
      isIn ||= low === byte;
      p++;
    }
  }
  return isIn === isNegated ? -1 : Math.min(p + 1, pattern.length);
}
