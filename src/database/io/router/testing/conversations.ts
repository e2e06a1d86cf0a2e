/** Conversations of a hostile client: messages in any order, whole ones and malformed ones, the same for the same seed. */

/** One message: its type and body. */
export interface Piece {
  readonly type: string;
  readonly body: string;
}

const int16 = (n: number): string => String.fromCharCode((n >> 8) & 0xff, n & 0xff);
const int32 = (n: number): string => int16(n >>> 16) + int16(n);

/** OID of int4pl(int4, int4), its arguments 2 and 3 as text. */
const CALL = "\0\0\0\xb1\0\0\0\x02\0\0\0\x012\0\0\0\x013\0\0";

const PIECES_MAX = 14;

/** Up to 14 messages. Statements return `id`, by which an answer that went astray is known. Needs a table `copied (n int)`. */
export function conversation(random: () => number, id: number): Piece[] {
  const pick = <T>(of: readonly T[]): T => of[Math.floor(random() * of.length)] as T;
  let names = 0;
  // A name is given once: whether one that failed is free again depends on what the client has read.
  const fresh = (): string => (random() < 0.4 ? "" : `a${++names}`);
  const name = (): string => pick(["", "", "a1", "a2", "a3", "none"]);
  const sql = (): string =>
    pick([
      `SELECT ${id}`,
      `SELECT ${id}`,
      `SELECT ${id} + $1::int`,
      "SELECT 1/0",
      "BEGIN",
      "COMMIT",
      "ROLLBACK",
      "SELEC",
      "",
      `SELECT ${id}; SELECT ${id + 1}`,
      "COPY copied FROM STDIN",
      `COPY (SELECT ${id}) TO STDOUT`,
      `SELECT ${id} FROM generate_series(1,3)`,
      "SET application_name TO x",
      "DEALLOCATE ALL",
      "DISCARD ALL",
    ]);
  const end = (share: number): string => (random() < share ? "\0" : "");
  const bound = (): string =>
    pick([
      "\0\0\0\0\0\0\0",
      "\0\0\0\0\0\0\0",
      "\0\0\0\0\0\0\0",
      `\0\0\0${int16(1)}${int32(1)}5\0\0`,
      `\0${int16(2)}\0\0\0\0`,
      `\0\0\0${int16(1)}${int32(-7)}\0\0`,
      `\0\0\0${int16(1)}${int32(0x7fffffff)}`,
      `\0${int16(-1)}`,
      "",
    ]);
  const makers: readonly (() => Piece)[] = [
    () => ({ type: "Q", body: sql() + end(0.93) }),
    () => ({ type: "P", body: `${fresh()}\0${sql()}\0\0\0` }),
    () => ({ type: "P", body: `${fresh()}\0${sql()}${end(0.9)}${pick(["\0\0", int16(1), int16(-1), ""])}` }),
    () => ({ type: "B", body: `${name()}\0${name()}${bound()}` }),
    () => ({ type: "B", body: `${name()}\0${name()}\0\0\0\0\0\0\0` }),
    () => ({ type: "D", body: `${pick(["S", "P", "S", "P", "x"])}${name()}${end(0.95)}` }),
    () => ({ type: "E", body: `${name()}\0${pick([int32(0), int32(0), int32(1), int32(-1), ""])}` }),
    () => ({ type: "E", body: "\0\0\0\0\0" }),
    () => ({ type: "C", body: `${pick(["S", "P", "S", "P", "x"])}${name()}${end(0.95)}` }),
    () => ({ type: "S", body: "" }),
    () => ({ type: "S", body: "" }),
    () => ({ type: "H", body: "" }),
    () => ({
      type: "F",
      body: pick([CALL, CALL, "", CALL.slice(0, 6), int32(999_999) + int32(0) + int16(0)]),
    }),
    () => ({ type: "d", body: pick([`${id}\n`, `${id}\n`, "garbage\n"]) }),
    () => (random() < 0.5 ? { type: "c", body: "" } : { type: "f", body: `no${end(0.9)}` }),
  ];
  return Array.from({ length: 1 + Math.floor(random() * PIECES_MAX) }, () => pick(makers)());
}

/** What ends any conversation in an orderly way, whatever state it has left: its last row is `THE_END`. */
export const ENDING: readonly Piece[] = [
  { type: "f", body: "end\0" },
  { type: "S", body: "" },
  { type: "Q", body: "ROLLBACK\0" },
  { type: "Q", body: "SELECT 'the end'\0" },
];
export const THE_END = "the end";
