// Where links are kept: in Postgres, in the store that all tasks share, or in this process's memory. Each adds a link unless its code is taken,
// finds, lists the newest and counts a click.
import { textOf } from "tenfold/resp";

const TABLE = `CREATE TABLE IF NOT EXISTS links (
  code text PRIMARY KEY,
  url text NOT NULL,
  clicks bigint NOT NULL DEFAULT 0,
  made timestamptz NOT NULL DEFAULT clock_timestamp()
)`;
const NEWEST_FIRST = "CREATE INDEX IF NOT EXISTS links_made ON links (made DESC)";

/** Only one task at a time may make the table: the number is any. */
const MAKING = "SELECT pg_advisory_xact_lock(7079)";

/** In Postgres, behind the router: during a failover statements wait there, and reads go to replicas that have what was written. */
export async function databaseKeeper(databaseUrl) {
  const { openDatabase } = await import("tenfold/db"); // by `pg`, which an app without a database need not have
  const db = await openDatabase({ url: databaseUrl, router: true });
  let made;

  const makeTable = () =>
    db.transaction(async (client) => {
      for (const statement of [MAKING, TABLE, NEWEST_FIRST]) await client.query(statement);
    });

  const forget = (error) => {
    made = undefined;
    throw error;
  };

  /** The table is made by the first statement, and tried again while there is no primary. */
  const ask = async (text, values) => {
    try {
      await (made ??= makeTable().catch(forget));
      const { rows } = await db.query(text, values);
      return rows.map((row) => ({ ...row, clicks: Number(row.clicks) }));
    } catch (error) {
      throw Object.assign(error, { status: 503 });
    }
  };

  return {
    where: "in the database",
    find: async (code) => (await ask("SELECT code, url, clicks FROM links WHERE code = $1", [code]))[0],
    findAll: (codes) =>
      ask(
        "SELECT code, url, clicks FROM links JOIN unnest($1::text[]) WITH ORDINALITY AS asked (code, place) USING (code) ORDER BY place",
        [codes],
      ),
    recent: (count) => ask("SELECT code, url, clicks FROM links ORDER BY made DESC LIMIT $1", [count]),
    add: async ({ code, url }) => {
      const text = "INSERT INTO links (code, url) VALUES ($1, $2) ON CONFLICT DO NOTHING RETURNING clicks";
      return (await ask(text, [code, url])).length === 1;
    },
    click: async (code) =>
      (await ask("UPDATE links SET clicks = clicks + 1 WHERE code = $1 RETURNING clicks", [code]))[0]?.clicks,
  };
}

/** In the store: link:CODE is a hash {url, clicks}, `recent` the list of the newest codes. `ask` sends one request. */
export function storeKeeper(ask, recentMax) {
  const keyOf = (code) => `link:${code}`;

  const find = async (code) => {
    const [url, clicks] = await ask("HMGET", keyOf(code), "url", "clicks");
    return url ? { code, url: textOf(url), clicks: Number(textOf(clicks) ?? 0) } : undefined;
  };

  const findAll = async (codes) => (await Promise.all(codes.map(find))).filter(Boolean);

  return {
    where: "in the shared store",
    find,
    findAll,
    recent: async (count) => findAll((await ask("LRANGE", "recent", 0, count - 1)).map(textOf)),
    async add({ code, url }) {
      if ((await ask("HSETNX", keyOf(code), "url", url)) === 0) return false;
      await Promise.all([ask("LPUSH", "recent", code), ask("LTRIM", "recent", 0, recentMax - 1)]);
      return true;
    },
    click: (code) => ask("HINCRBY", keyOf(code), "clicks", 1),
  };
}

/** In this process alone; all ends with it. */
export function memoryKeeper() {
  const links = new Map(); // code -> link, the newest last
  return {
    where: "in memory: no other copy sees them, and they end with this one",
    find: async (code) => links.get(code),
    findAll: async (codes) => codes.map((code) => links.get(code)),
    recent: async (count) => [...links.values()].slice(-count).toReversed(),
    add: async (link) => !links.has(link.code) && links.set(link.code, link),
    async click(code) {
      const link = links.get(code);
      links.set(code, { ...link, clicks: link.clicks + 1 });
      return link.clicks + 1;
    },
  };
}
