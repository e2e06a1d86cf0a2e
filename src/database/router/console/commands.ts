/** What may be said to a router's console: PgBouncer's commands. */

/** Tables that the console shows. */
export const SHOWN = [
  "VERSION",
  "STATS",
  "STATS_TOTALS",
  "STATS_AVERAGES",
  "TOTALS",
  "POOLS",
  "CLIENTS",
  "SERVERS",
  "LISTS",
  "USERS",
  "DATABASES",
  "CONFIG",
  "MEM",
  "STATE",
  "HELP",
] as const;
/** One of them. */
export type Shown = (typeof SHOWN)[number];

/** What is done to one database, or to all of them. */
export type PoolCommand = "PAUSE" | "RESUME" | "RECONNECT" | "KILL";

/** A command; "wrong" with what is wrong with it. */
export type ConsoleCommand =
  | { readonly kind: "show"; readonly what: Shown }
  | { readonly kind: "pool"; readonly command: PoolCommand; readonly database: string | undefined }
  | { readonly kind: "reload" }
  | { readonly kind: "shutdown" }
  | { readonly kind: "wrong"; readonly message: string };

/** PgBouncer's, which the router has not: why. */
const ABSENT: ReadonlyMap<string, string> = new Map([
  ["SUSPEND", "a router is replaced by another one on the same address"],
  ["DISABLE", "use PAUSE or KILL"],
  ["ENABLE", "use RESUME"],
  ["WAIT_CLOSE", "look at SHOW SERVERS"],
  ["SET", "change the file of settings, and say RELOAD"],
]);

const POOL_COMMANDS: readonly PoolCommand[] = ["PAUSE", "RESUME", "RECONNECT", "KILL"];

/** A command, its argument as a word or in quotes, a semicolon. */
const LINE = /^\s*([a-z_]+)(?:\s+(?:"((?:[^"]|"")+)"|([^\s";]+)))?\s*;?\s*$/i;

/** Reads one command. Names of databases are kept as they stand. */
export function parseConsoleCommand(text: string): ConsoleCommand {
  const found = LINE.exec(text);
  const word = (found?.[1] ?? /^\s*([a-z_]*)/i.exec(text)?.[1] ?? "").toUpperCase();
  const absent = ABSENT.get(word);
  if (absent !== undefined) return wrong(`${word} is not known to this router: ${absent}`);
  if (found === null) return invalid(text);
  const argument = found[2]?.replaceAll('""', '"') ?? found[3];
  const pool = POOL_COMMANDS.find((command) => command === word);
  if (pool !== undefined) {
    if (pool === "KILL" && argument === undefined) return wrong("a database is required: KILL <db>");
    return { kind: "pool", command: pool, database: argument };
  }
  if (word === "RELOAD" && argument === undefined) return { kind: "reload" };
  if (word === "SHUTDOWN" && (argument === undefined || argument.toUpperCase() === "WAIT_FOR_SERVERS"))
    return { kind: "shutdown" };
  const what = SHOWN.find((name) => name === argument?.toUpperCase());
  return word === "SHOW" && what !== undefined ? { kind: "show", what } : invalid(text);
}

const SHOWN_OF_COMMAND = 80;

function invalid(text: string): ConsoleCommand {
  return wrong(`invalid command '${text.trim().slice(0, SHOWN_OF_COMMAND)}', use SHOW HELP;`);
}
function wrong(message: string): ConsoleCommand {
  return { kind: "wrong", message };
}

/** What `SHOW HELP` says, a line a row. */
export const HELP: readonly string[] = [
  `SHOW ${SHOWN.join("|")}`,
  "PAUSE [<db>]",
  "RESUME [<db>]",
  "RECONNECT [<db>]",
  "KILL <db>",
  "RELOAD",
  "SHUTDOWN",
];
