/** Where a server is and who asks, from a URL: `postgres://user:password@host:port/database?name=value`. */

/** The parts of a URL. */
export interface PostgresUrl {
  readonly host: string;
  readonly port: number;
  /** Default "postgres". */
  readonly user: string;
  readonly password?: string;
  /** Default: the user's name. */
  readonly database: string;
  /** What follows the question mark, `sslmode` among it. */
  readonly options: ReadonlyMap<string, string>;
}

const PORT = 5432;

/** The parts of `text`, or what is wrong with it, without its password. */
export function parsePostgresUrl(text: string): PostgresUrl | string {
  const url = URL.parse(text);
  if (url === null || !/^postgres(?:ql)?:$/.test(url.protocol))
    return "is no URL of Postgres: write it like postgres://user:password@host:5432/database";
  try {
    const host = url.hostname.replace(/^\[(.*)\]$/, "$1") || "127.0.0.1";
    const user = decodeURIComponent(url.username) || "postgres";
    const database = decodeURIComponent(url.pathname.slice(1)) || user;
    const password = decodeURIComponent(url.password);
    const port = url.port === "" ? PORT : Number(url.port);
    const options = new Map(url.searchParams);
    return { host, port, user, database, options, ...(password === "" ? {} : { password }) };
  } catch {
    return "has a percent sign that begins no character: write % as %25";
  }
}
