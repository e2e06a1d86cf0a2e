/**
 * What a statement leaves behind in its session, beyond its transaction. The one place where the router looks at SQL: give
 * it another `LookAt` and nothing else changes.
 */

/** Why a session keeps its server connection beyond the transaction; the same in metrics, SHOW CLIENTS and the log. */
export const PIN_REASONS = {
  listen: "listens for notifications, which come by the connection that asked for them",
  "advisory-lock": "holds an advisory lock of the session",
  "temporary-table": "has a temporary table or other object of pg_temp",
  "hold-cursor": "has a cursor WITH HOLD",
  "sql-prepare": "has statements prepared by SQL's PREPARE",
  "session-authorization": "has changed its session's user",
  "session-characteristics": "has changed its transactions' default characteristics",
  "set-config": "has changed a setting by set_config",
  load: "has loaded a library",
  "long-statement": "has prepared a statement that is too long to be kept",
} as const;

/** One of the reasons. */
export type PinReason = keyof typeof PIN_REASONS;

/** A session's setting that a statement changes. `sql` is the statement that does it again; none: back to the default. */
export type SettingChange =
  | { readonly kind: "set"; readonly name: string; readonly sql: string }
  | { readonly kind: "reset"; readonly name: string }
  | { readonly kind: "reset-all" };

/** What statements leave behind when they succeed. */
export interface StatementEffects {
  readonly pin: PinReason | undefined;
  readonly settings: readonly SettingChange[];
  /** The name in a single DEALLOCATE. */
  readonly deallocates: string | undefined;
  /** The statement after which names mean other tables, if only to the end of the transaction; "": those of the server's default. */
  readonly searchPath?: string | undefined;
}

/** Looks at the text of one query, which may be several statements. */
export type LookAt = (sql: string) => StatementEffects;

/** The commonest: nothing. */
export const NO_EFFECTS: StatementEffects = { pin: undefined, settings: [], deallocates: undefined };

/** Without one of these words nothing is left behind. */
const SUSPECT =
  /\b(?:set|reset|discard|listen|advisory_lock|temp|temporary|pg_temp|prepare|deallocate|hold|load|set_config)\b|advisory_lock|pg_temp/i;

/** Of those words that stand alone: 1 at the key of first letter, last letter and length. */
const SUSPECT_KEYS = new Uint8Array(1 << 14);
const SUSPECT_WORDS =
  "set reset discard listen temp temporary pg_temp prepare deallocate hold load set_config".split(" ");
const WORD_MAX = 10;
for (const word of SUSPECT_WORDS)
  SUSPECT_KEYS[keyOf(word.charCodeAt(0), word.charCodeAt(word.length - 1), word.length)] = 1;
const WORD_BYTES = Uint8Array.from({ length: 256 }, (_, byte) =>
  Number(/\w/.test(String.fromCharCode(byte))),
);
const UNDERSCORE = 0x5f;

/** Letters in either case. */
function keyOf(first: number, last: number, length: number): number {
  return ((first & 31) << 9) | ((last & 31) << 4) | length;
}

/**
 * Whether there may be a suspect word in the UTF-8 text `bytes[start, end)`; false is certain. What `lookAtStatement` begins with, without a
 * string being made of the text: most statements have none.
 */
export function maySuspect(bytes: Uint8Array, start: number, end: number): boolean {
  let word = start;
  for (let at = start; at < end; at++) {
    const byte = bytes[at] ?? 0;
    if (WORD_BYTES[byte] === 1) {
      if (byte === UNDERSCORE && goesOn(bytes, at + 1, end)) return true;
    } else {
      if (isSuspect(bytes, word, at)) return true;
      word = at + 1;
    }
  }
  return isSuspect(bytes, word, end);
}

function isSuspect(bytes: Uint8Array, start: number, end: number): boolean {
  const length = end - start;
  return (
    length > 2 &&
    length <= WORD_MAX &&
    SUSPECT_KEYS[keyOf(bytes[start] ?? 0, bytes[end - 1] ?? 0, length)] === 1
  );
}

/** As advisory_lock and pg_temp do behind their underscore. */
function goesOn(bytes: Uint8Array, at: number, end: number): boolean {
  if (at + 1 >= end) return false;
  const one = (bytes[at] ?? 0) | 0x20;
  const two = (bytes[at + 1] ?? 0) | 0x20;
  return (one === 0x6c && two === 0x6f) || (one === 0x74 && two === 0x65);
}

/** Literals, quoted names and comments, whose words are not SQL's. */
const NOT_CODE = /'(?:[^']|'')*'|"(?:[^"]|"")*"|\$([A-Za-z_]\w*)?\$[\s\S]*?\$\1\$|--[^\n]*|\/\*[\s\S]*?\*\//g;

/** Statement -> what it pins. Each is tried on the statement with literals taken out. */
const PINS: readonly (readonly [RegExp, PinReason])[] = [
  [/^\s*listen\b/i, "listen"],
  [/\bpg_(?:try_)?advisory_lock(?:_shared)?\s*\(/i, "advisory-lock"],
  [
    /^\s*create\s+(?:or\s+replace\s+)?(?:local\s+|global\s+)?temp(?:orary)?\b(?![\s\S]*\bon\s+commit\s+drop\b)/i,
    "temporary-table",
  ],
  [/\binto\s+(?:local\s+|global\s+)?temp(?:orary)?\b/i, "temporary-table"],
  [/^\s*create\b[^(]*\bpg_temp(?:_\d+)?\s*\./i, "temporary-table"],
  [/^\s*declare\b[\s\S]*\bwith\s+hold\b/i, "hold-cursor"],
  [/^\s*prepare\s+(?!transaction\b)/i, "sql-prepare"],
  [/^\s*set\s+(?:session\s+|local\s+)?session\s+authorization\b/i, "session-authorization"],
  [/^\s*set\s+session\s+characteristics\b/i, "session-characteristics"],
  [/\bset_config\s*\((?!(?:[^()]|\([^()]*\))*,\s*true\s*\))/i, "set-config"],
  [/^\s*load\b/i, "load"],
];

/** The router's own look: by words, literals left out. Takes 0.1 us for a statement without a suspect word. */
export const lookAtStatement: LookAt = (sql) => {
  if (!SUSPECT.test(sql)) return NO_EFFECTS;
  let pin: PinReason | undefined;
  const settings: SettingChange[] = [];
  let deallocates: string | undefined;
  let searchPath: string | undefined;
  const statements = splitStatements(sql);
  for (const { text, code } of statements) {
    pin ??= PINS.find(([pattern]) => pattern.test(code))?.[1];
    const change = settingOf(text, code);
    if (change !== undefined) settings.push(change);
    searchPath = searchPathOf(text, change) ?? searchPath;
    if (statements.length === 1)
      deallocates = /^\s*deallocate\s+(?:prepare\s+)?("(?:[^"]|"")+"|\w+)\s*$/i.exec(text)?.[1];
  }
  if (deallocates !== undefined) deallocates = unquote(deallocates);
  if (deallocates === "all") deallocates = undefined;
  const hasNone = pin === undefined && settings.length === 0 && deallocates === undefined;
  return hasNone && searchPath === undefined ? NO_EFFECTS : { pin, settings, deallocates, searchPath };
};

interface Statement {
  readonly text: string;
  /** The text with literals, quoted names and comments blanked: the same length. */
  readonly code: string;
}

function splitStatements(sql: string): Statement[] {
  const code = sql.replaceAll(NOT_CODE, (found) =>
    (/^(?:--|\/\*)/.test(found) ? " " : "'").padEnd(
      found.length,
      found.startsWith("-") || found.startsWith("/") ? " " : "'",
    ),
  );
  const statements: Statement[] = [];
  let start = 0;
  for (let at = code.indexOf(";"); start < code.length; at = code.indexOf(";", start)) {
    const end = at < 0 ? code.length : at;
    const piece = code.slice(start, end);
    if (piece.trim() !== "") statements.push({ text: blankComments(sql.slice(start, end)), code: piece });
    start = end + 1;
  }
  return statements;
}

function blankComments(text: string): string {
  return text.replaceAll(NOT_CODE, (found) => (/^(?:--|\/\*)/.test(found) ? " " : found));
}

const SET = /^\s*set\s+(?:session\s+)?([a-z_][\w.$]*)\s*(?:=|\bto\b)\s*([\s\S]+?)\s*$/i;
const SET_WORD = /^\s*set\s+(?:session\s+)?(role|time\s+zone|names|schema|seed)\s+([\s\S]+?)\s*$/i;
const RESET = /^\s*reset\s+(role|time\s+zone|[a-z_][\w.$]*)\s*$/i;

/** What follows SET and changes nothing beyond the transaction. */
const NOT_SETTINGS = /^(?:local|transaction|constraints|session|characteristics)$/i;

/** Words that SET knows and the names of the settings behind them. */
const WORDS: Readonly<Record<string, string>> = {
  role: "role",
  "time zone": "timezone",
  names: "client_encoding",
  schema: "search_path",
};

function settingOf(text: string, code: string): SettingChange | undefined {
  const reset = RESET.exec(code)?.[1]?.toLowerCase().replaceAll(/\s+/g, " ");
  if (reset !== undefined)
    return reset === "all" ? { kind: "reset-all" } : { kind: "reset", name: WORDS[reset] ?? reset };
  const byWord = SET_WORD.exec(text)?.[1]?.toLowerCase().replaceAll(/\s+/g, " ");
  const name = byWord === undefined ? SET.exec(text)?.[1]?.toLowerCase() : WORDS[byWord];
  if (name === undefined || NOT_SETTINGS.test(name)) return undefined;
  const value = (byWord === undefined ? SET : SET_WORD).exec(text)?.[2] ?? "";
  if (/^default$/i.test(value)) return { kind: "reset", name };
  return { kind: "set", name, sql: text.trim() };
}

const SEARCH_PATH = "search_path";
/** SET LOCAL, or a call of set_config. */
const PATH_IN_TRANSACTION = /^\s*set\s+local\s+(?:search_path|schema)\b|\bset_config\s*\(\s*'search_path'/i;

function searchPathOf(text: string, change: SettingChange | undefined): string | undefined {
  if (change?.kind === "reset-all") return "";
  if (change?.name === SEARCH_PATH) return change.kind === "set" ? change.sql : "";
  return PATH_IN_TRANSACTION.test(text) ? text.trim() : undefined;
}

function unquote(name: string): string {
  return name.startsWith('"') ? name.slice(1, -1).replaceAll('""', '"') : name.toLowerCase();
}
