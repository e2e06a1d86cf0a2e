/**
 * Telling by a field's name whether its value is a secret.
 *
 * A name is cut into words ("x-api-key", "apiKey", "API_KEY" are all api + key). Some words always mean a secret;
 * "key" does too, but for the well-known kinds of key that are only names. In doubt it is a secret: a value missing
 * from a log costs a minute, one too many costs a rotation of credentials.
 */

/** Stands in for a secret value. */
export const REDACTED = "[redacted]";

const SECRET_WORDS: ReadonlySet<string> = new Set([
  "authorization",
  "auth",
  "authentication",
  "bearer",
  "cookie",
  "cookies",
  "credential",
  "credentials",
  "jwt",
  "passphrase",
  "passwd",
  "password",
  "passwords",
  "pwd",
  "secret",
  "secrets",
  "token",
  "tokens",
  "apikey",
  "privatekey",
]);

/** Words before "key" that make it a name, not a secret. */
const HARMLESS_KEYS: ReadonlySet<string> = new Set([
  "cache",
  "hash",
  "public",
  "primary",
  "foreign",
  "partition",
  "routing",
  "shard",
  "sort",
  "vary",
]);

const WORDS = /[A-Z]?[a-z]+|[A-Z]+(?![a-z])/g;

/** Whether a field of this name holds a secret. O(length of the name). */
export function isSecretName(name: string): boolean {
  const words = (name.match(WORDS) ?? []).map((word) => word.toLowerCase());
  return words.some((word, at) => SECRET_WORDS.has(word) || isSecretKey(word, words[at - 1]));
}

function isSecretKey(word: string, before: string | undefined): boolean {
  return (word === "key" || word === "keys") && !(before !== undefined && HARMLESS_KEYS.has(before));
}
