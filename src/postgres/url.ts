/** Addresses of Postgres: `pg://[user[:password]@]host[:port]/database[?sslmode=…]`; `postgres://` and `postgresql://` mean the same. */

const SCHEME = /^(?:pg|postgres|postgresql):\/\//;

/** Whether a store's URL names Postgres. */
export function isPostgresUrl(text: string): boolean {
  return SCHEME.test(text);
}

/** The URL as libpq and the package pg write it. Throws a TypeError without the password when it names no database. */
export function postgresUrl(text: string): string {
  const url = text.replace(SCHEME, "postgresql://");
  if (!isPostgresUrl(text) || !/^postgresql:\/\/[^\s/]*\/[^\s/?]+(?:\?\S*)?$/.test(url))
    throw new TypeError("the store's URL is none: write pg://user:password@host:5432/database");
  return url;
}
