/**
 * Addresses of stores: `redis://[user[:password]@]host[:port][/database]`, `rediss://` for TLS, and `valkey://`,
 * `valkeys://`, which mean the same.
 */

/** Where a store is and who asks. */
export interface StoreUrl {
  readonly host: string;
  readonly port: number;
  readonly tls: boolean;
  readonly username: string | undefined;
  readonly password: string | undefined;
  readonly database: number;
}

/** Scheme -> whether it is TLS. */
const SCHEMES: Readonly<Record<string, boolean>> = {
  "redis:": false,
  "rediss:": true,
  "valkey:": false,
  "valkeys:": true,
};

const PORT = 6379;

/** Databases that a URL may name; Redis has 16 unless told otherwise. */
const DATABASE_MAX = 16_383;

/** Reads a store's URL. Gives a sentence that says what is wrong, without the password, when it is none. */
export function parseStoreUrl(text: string): StoreUrl | string {
  const url = parsed(text);
  const tls = SCHEMES[url?.protocol ?? ""];
  if (url === undefined || tls === undefined || url.hostname === "")
    return "is no store URL: write redis://host:port, rediss://host:port or valkey://host:port";
  const path = url.pathname.replace(/^\//, "");
  const database = path === "" ? 0 : Number(path);
  if (!Number.isInteger(database) || database < 0 || database > DATABASE_MAX)
    return `has "${path}" where a database number belongs: write /0, or nothing`;
  try {
    return {
      host: url.hostname.replace(/^\[|\]$/g, ""),
      port: url.port === "" ? PORT : Number(url.port),
      tls,
      username: decodeURIComponent(url.username) || undefined,
      password: decodeURIComponent(url.password) || undefined,
      database,
    };
  } catch {
    return 'has a "%" in its user or password that is no escape: write %25 for it';
  }
}

function parsed(text: string): URL | undefined {
  try {
    return new URL(text);
  } catch {
    return undefined;
  }
}
