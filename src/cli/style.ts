/**
 * Colours, as functions on text. Rendering takes a `Style`, so that what is painted reads the same when it is not:
 * a colour never carries what a word does not say as well.
 */

/** Wraps text in the codes of one look, or in nothing. */
export type Paint = (text: string) => string;

/** The looks that the commands use. */
export interface Style {
  readonly bold: Paint;
  readonly dim: Paint;
  readonly good: Paint;
  readonly warn: Paint;
  readonly bad: Paint;
  readonly name: Paint;
}

const asIs: Paint = (text) => text;

/** For pipes, files and NO_COLOR. */
export const PLAIN: Style = { bold: asIs, dim: asIs, good: asIs, warn: asIs, bad: asIs, name: asIs };

/** For terminals: the sixteen colours that every theme defines (ECMA-48 SGR). */
export const COLOURED: Style = {
  bold: sgr(1, 22),
  dim: sgr(2, 22),
  good: sgr(32, 39),
  warn: sgr(33, 39),
  bad: sgr(31, 39),
  name: sgr(36, 39),
};

/** Whether to paint: see https://no-color.org and FORCE_COLOR, which CI systems set. */
export function styleFor(env: Readonly<Record<string, string | undefined>>, isTerminal: boolean): Style {
  if (env["NO_COLOR"]) return PLAIN;
  if (env["FORCE_COLOR"] && env["FORCE_COLOR"] !== "0") return COLOURED;
  return isTerminal && env["TERM"] !== "dumb" ? COLOURED : PLAIN;
}

function sgr(on: number, off: number): Paint {
  return (text) => (text === "" ? "" : `\x1b[${on}m${text}\x1b[${off}m`);
}
