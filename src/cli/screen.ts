/**
 * Painting a screen again and again without flicker: home, each line cleared to its end, then all below (ECMA-48).
 *
 * A pipe gets the lines as they are, one picture after the other.
 */
import type { Terminal } from "./terminal.ts";

const HOME = "\x1b[H";
const CLEAR_LINE = "\x1b[K";
const CLEAR_BELOW = "\x1b[J";

/** The other screen of the terminal (xterm's), so that the scrollback is as it was afterwards; and no cursor. */
const ENTER = "\x1b[?1049h\x1b[?25l";
const LEAVE = "\x1b[?25h\x1b[?1049l";

/** Shows `lines` in place of the last picture; `inPlace` false, or a pipe, appends them. */
export function repaint(terminal: Terminal, lines: readonly string[], inPlace = true): void {
  if (!terminal.interactive || !inPlace) {
    for (const line of lines) terminal.out(line);
    return;
  }
  const shown = lines.slice(0, Math.max(1, terminal.size().rows - 1));
  terminal.raw(`${HOME}${shown.map((line) => `${line}${CLEAR_LINE}\n`).join("")}${CLEAR_BELOW}`);
}

/** Takes the whole screen; returns what gives it back, harmless when called twice. */
export function enterScreen(terminal: Terminal): () => void {
  if (!terminal.interactive) return () => {};
  let entered = true;
  terminal.raw(ENTER);
  return () => {
    if (entered) terminal.raw(LEAVE);
    entered = false;
  };
}
