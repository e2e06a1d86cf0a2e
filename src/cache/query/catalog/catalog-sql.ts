/**
 * The one query that reads what the cache needs to know of a database: one row, one JSON text, a consistent picture.
 *
 * PostgreSQL's own schemas are left out; so are settings that change no answer. `pg_settings` gives the settings that
 * any session may change, as this session has them: they become part of every key.
 */

/** Settings that differ between sessions without a difference in answers. */
const INDIFFERENT = [
  "application_name",
  "statement_timeout",
  "lock_timeout",
  "idle_in_transaction_session_timeout",
  "idle_session_timeout",
  "transaction_timeout",
  "client_connection_check_interval",
];

const list = (names: readonly string[]): string => names.map((name) => `'${name}'`).join(", ");

/** Schemas that are PostgreSQL's. Temporary ones belong to sessions. */
const FOREIGN_SCHEMA =
  "(n.nspname in ('pg_catalog', 'information_schema') or n.nspname ~ '^pg_(toast|temp)')";

/** The name of the trigger function that `notifySql` makes; it writes nothing. */
export const NOTIFY_FUNCTION = "tenfold_query_cache_notify";

/** Gives one row with one column, `catalog`. Needs no privilege. Takes a few ms for a hundred tables. */
export const CATALOG_SQL: string = `
select json_build_object(
  'database', (select json_build_array(oid::text, datname) from pg_database where datname = current_database()),
  'cluster', case when has_function_privilege('pg_control_system()', 'execute')
    then (select system_identifier::text from pg_control_system()) else '' end,
  'session', json_build_array(current_user, session_user, current_setting('server_version_num'), current_setting('is_superuser'),
    current_setting('client_encoding'),
    (select json_agg(json_build_array(name, setting) order by name) from pg_settings
      where context in ('user', 'superuser') and name not in (${list(INDIFFERENT)}))),
  'path', to_json(current_schemas(false)),
  'relations', (select json_agg(json_build_array(c.oid::text, n.nspname, c.relname, c.relkind,
      c.relrowsecurity, c.relhasrules) order by c.oid)
    from pg_class c join pg_namespace n on n.oid = c.relnamespace
    where c.relkind in ('r', 'p', 'v', 'm', 'f', 'S') and not ${FOREIGN_SCHEMA}),
  'views', (select json_agg(json_build_array(c.oid::text, pg_get_viewdef(c.oid)) order by c.oid)
    from pg_class c join pg_namespace n on n.oid = c.relnamespace where c.relkind = 'v' and not ${FOREIGN_SCHEMA}),
  'columns', (select md5(string_agg(concat_ws(',', a.attrelid, a.attnum, a.attname, a.atttypid, a.atttypmod), ';' order by a.attrelid, a.attnum))
    from pg_attribute a join pg_class c on c.oid = a.attrelid join pg_namespace n on n.oid = c.relnamespace
    where c.relkind in ('r', 'p', 'v', 'm') and a.attnum > 0 and not ${FOREIGN_SCHEMA}),
  'children', (select json_agg(json_build_array(i.inhparent::text, i.inhrelid::text) order by i.inhparent, i.inhrelid)
    from pg_inherits i join pg_class c on c.oid = i.inhrelid where c.relkind in ('r', 'p', 'f')),
  'references', (select json_agg(json_build_array(confrelid::text, conrelid::text,
      confdeltype in ('c', 'n', 'd') or confupdtype in ('c', 'n', 'd')) order by oid)
    from pg_constraint where contype = 'f'),
  'triggers', (select json_agg(distinct t.tgrelid::text) from pg_trigger t join pg_proc p on p.oid = t.tgfoid
    where not t.tgisinternal and t.tgenabled <> 'D' and p.proname <> '${NOTIFY_FUNCTION}'),
  'functions', (select json_agg(json_build_array(nspname, proname, volatile) order by nspname, proname) from (
    select n.nspname, p.proname, bool_or(p.provolatile = 'v') as volatile
    from pg_proc p join pg_namespace n on n.oid = p.pronamespace
    where p.prokind in ('f', 'a', 'w') and not ${FOREIGN_SCHEMA} group by 1, 2) f),
  'operators', (select json_agg(distinct o.oprname) from pg_operator o
    join pg_namespace n on n.oid = o.oprnamespace join pg_proc p on p.oid = o.oprcode
    where p.provolatile <> 'i' and not ${FOREIGN_SCHEMA})
)::text as catalog`;
