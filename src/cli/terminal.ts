/** Where a command writes: lines to stdout and stderr, and what kind of reader is at the other end. */
import { type Style, styleFor } from "./style.ts";

/** What commands see of the terminal; tests give their own. */
export interface Terminal {
  /** One line of result to stdout. */
  readonly out: (line: string) => void;
  /** One line of notice or error to stderr. */
  readonly err: (line: string) => void;
  /** Text as it is, for what paints a screen. */
  readonly raw: (text: string) => void;
  readonly style: Style;
  /** Whether a person reads stdout. */
  readonly interactive: boolean;
  /** Size of the screen now; a pipe has a width without end. */
  readonly size: () => { readonly columns: number; readonly rows: number };
}

/** A pipe cuts nothing: whoever reads it can scroll or grep. */
const PIPE = { columns: 10_000, rows: 10_000 } as const;

/** The terminal of this process. */
export function processTerminal(): Terminal {
  const { stdout, stderr, env } = process;
  return {
    out: (line) => void stdout.write(`${line}\n`),
    err: (line) => void stderr.write(`${line}\n`),
    raw: (text) => void stdout.write(text),
    style: styleFor(env, stdout.isTTY),
    interactive: stdout.isTTY,
    size: () => ({ columns: stdout.columns ?? PIPE.columns, rows: stdout.rows ?? PIPE.rows }),
  };
}
