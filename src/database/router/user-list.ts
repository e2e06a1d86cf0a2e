/**
 * The users of a router as a file: PgBouncer's `userlist.txt`, one user a line, so that the same file serves both.
 *
 *     "ann" "her password"
 *     "bob" "SCRAM-SHA-256$4096:…"
 */
import { parseVerifier } from "../../pgwire/index.ts";

/** A user: the password in clear, or the verifier as `pg_authid` has it. */
export interface ListedUser {
  readonly password?: string;
  readonly verifier?: string;
}

/** More than any file of users that somebody keeps by hand. */
const USERS_MAX = 100_000;

/** `"name" "secret"`, a quote doubled within quotes; what follows is PgBouncer's to ignore, and ours. */
const LINE = /^\s*"((?:[^"]|"")+)"\s+"((?:[^"]|"")*)"/;

/** Users by name, or what is wrong and on which line. No secret is ever part of that. */
export function parseUserList(text: string): Readonly<Record<string, ListedUser>> | string {
  const users: Record<string, ListedUser> = Object.create(null) as Record<string, ListedUser>;
  const lines = text.split("\n");
  if (lines.length > USERS_MAX) return `has more than ${USERS_MAX} lines`;
  for (const [at, line] of lines.entries()) {
    if (/^\s*(?:[;#]|$)/.test(line)) continue;
    const [, name, secret] = LINE.exec(line) ?? [];
    if (name === undefined || secret === undefined)
      return `line ${at + 1} is no user: write "name" "password or SCRAM verifier"`;
    const user = userOf(secret.replaceAll('""', '"'));
    if (typeof user === "string") return `line ${at + 1} ${user}`;
    users[name.replaceAll('""', '"')] = user;
  }
  return users;
}

function userOf(secret: string): ListedUser | string {
  if (secret.startsWith("SCRAM-SHA-256$"))
    return parseVerifier(secret) === undefined
      ? "has a SCRAM verifier that cannot be read"
      : { verifier: secret };
  if (/^md5[0-9a-f]{32}$/.test(secret))
    return "has an md5 hash, which SCRAM cannot use: give the verifier of pg_authid, or the password";
  return secret === "" ? "has an empty password" : { password: secret };
}
