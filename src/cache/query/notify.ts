/**
 * Writes that do not pass the cache: psql, another program, a cron job in the database. Triggers say them by NOTIFY.
 *
 * PostgreSQL delivers a notification after the commit, so the staleness of an answer is bounded by the way of it: about a
 * millisecond, plus what a listener that is busy or cut off adds. Commits that notify are put in order by PostgreSQL with one
 * lock for the whole database server.
 */
import { NOTIFY_FUNCTION } from "./catalog/catalog-sql.ts";
import { SCHEMA } from "./versions/versions.ts";

/** The channel of the notifications. */
export const CHANNEL = "tenfold_query_cache";

/** What is used of a `pg.Client` to listen. */
export interface NotificationClient {
  on(
    event: "notification",
    listener: (message: { channel: string; payload?: string | undefined }) => void,
  ): unknown;
  query(text: string): Promise<unknown>;
}

/** What to make triggers for. */
export interface NotifyOptions {
  /** "table" or "schema.table". A partition that is written by its own name needs its own. */
  readonly tables: readonly string[];
  /** Also an event trigger that says changes of definitions; making it needs a superuser. Default false. */
  readonly definitions?: boolean;
}

/** The SQL that makes the triggers; it may be run again. */
export function notifySql({ tables, definitions = false }: NotifyOptions): string {
  const parts = [
    `CREATE OR REPLACE FUNCTION ${NOTIFY_FUNCTION}() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM pg_notify('${CHANNEL}', TG_TABLE_SCHEMA || '.' || TG_TABLE_NAME);
  RETURN NULL;
END $$;`,
    ...tables.map(
      (
        table,
      ) => `CREATE OR REPLACE TRIGGER ${CHANNEL} AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON ${quoted(table)}
  FOR EACH STATEMENT EXECUTE FUNCTION ${NOTIFY_FUNCTION}();`,
    ),
  ];
  if (definitions)
    parts.push(`CREATE OR REPLACE FUNCTION ${NOTIFY_FUNCTION}_definitions() RETURNS event_trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM pg_notify('${CHANNEL}', '${SCHEMA}');
END $$;
DROP EVENT TRIGGER IF EXISTS ${CHANNEL};
CREATE EVENT TRIGGER ${CHANNEL} ON ddl_command_end EXECUTE FUNCTION ${NOTIFY_FUNCTION}_definitions();`);
  return `${parts.join("\n\n")}\n`;
}

/** "schema.table" with each part quoted. */
function quoted(table: string): string {
  return table
    .split(".")
    .map((part) => `"${part.replaceAll('"', '""')}"`)
    .join(".");
}
