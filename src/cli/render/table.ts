/**
 * Columns of text: padded, cut to a width, painted last, so that no colour code is ever counted or cut.
 */
import type { Paint } from "../style.ts";

/** One cell: its text, and how it looks. */
export type Cell = string | { readonly text: string; readonly paint: Paint };

/** How one column stands. */
export interface Column {
  readonly title: string;
  /** Numbers stand right, so that their digits line up. Default "left". */
  readonly align?: "left" | "right";
}

/** What stands between two columns. */
const GAP = "  ";

/** Stands for the rest of a text that was cut. */
const ELLIPSIS = "…";

/** A colour code (ECMA-48 SGR). */
// oxlint-disable-next-line no-control-regex
const CODE = /^\x1b\[[\d;]*m$/;
// oxlint-disable-next-line no-control-regex
const CODES = /(\x1b\[[\d;]*m)/;

/** Lines of a table with its titles above, each at most `width` wide; the last column gives way. */
export function table(
  columns: readonly Column[],
  rows: readonly (readonly Cell[])[],
  width: number,
  paintTitle: Paint,
): string[] {
  const titles = columns.map(({ title }): Cell => ({ text: title, paint: paintTitle }));
  const all = [titles, ...rows];
  const widths = columns.map((_, column) => Math.max(...all.map((row) => widthOf(textOf(row[column])))));
  return all.map((row) => line(columns, row, widths, width));
}

/** The text cut to `width`, with an ellipsis where something is missing. Colour codes are kept, so that all end. */
export function cut(text: string, width: number): string {
  if (widthOf(text) <= width) return text;
  let room = width - 1;
  let cutOff = false;
  const keep = (piece: string): string => {
    if (CODE.test(piece) || cutOff) return CODE.test(piece) ? piece : "";
    const kept = fitting(piece, room);
    room -= widthOf(kept);
    cutOff = kept !== piece;
    return cutOff && width > 0 ? `${kept}${ELLIPSIS}` : kept;
  };
  return text.split(CODES).map(keep).join("");
}

/** The longest beginning that is at most `room` wide. */
function fitting(text: string, room: number): string {
  let used = 0;
  let end = 0;
  for (const character of text) {
    used += widthOf(character);
    if (used > room) break;
    end += character.length;
  }
  return text.slice(0, end);
}

/** Columns that a text takes on a terminal: wide characters take two, colour codes none. */
export function widthOf(text: string): number {
  return Bun.stringWidth(text);
}

function line(
  columns: readonly Column[],
  row: readonly Cell[],
  widths: readonly number[],
  width: number,
): string {
  const painted: string[] = [];
  let used = 0;
  for (const [index, column] of columns.entries()) {
    const cell = row[index] ?? "";
    const isLast = index === columns.length - 1;
    const text = cut(textOf(cell), Math.max(0, width - used));
    const padding = " ".repeat(Math.max(0, (widths[index] ?? 0) - widthOf(text)));
    painted.push(placed(cell, text, isLast && column.align !== "right" ? "" : padding, column.align));
    used += (widths[index] ?? 0) + GAP.length;
    if (used >= width) break;
  }
  return painted.join(GAP).trimEnd();
}

function placed(cell: Cell, text: string, padding: string, align: Column["align"]): string {
  const paintedText = typeof cell === "string" ? text : cell.paint(text);
  return align === "right" ? padding + paintedText : paintedText + padding;
}

function textOf(cell: Cell | undefined): string {
  if (cell === undefined) return "";
  return typeof cell === "string" ? cell : cell.text;
}
