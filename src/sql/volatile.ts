/**
 * PostgreSQL's own functions that a replica refuses, or that mean one certain server: a statement which calls one goes to the primary.
 *
 * Those that are volatile in pg_proc only because their answer differs from call to call (random, clock_timestamp) may run anywhere. A test
 * compares both tables with pg_proc of a real server.
 */

const words = (text: string): readonly string[] => text.trim().split(/\s+/);

/** Volatile, and none the worse for it on a replica. */
const HARMLESS: ReadonlySet<string> = new Set(
  words(`random random_normal setseed clock_timestamp timeofday gen_random_uuid uuidv4 uuidv7 pg_sleep pg_sleep_for pg_sleep_until
    pg_is_in_recovery pg_last_wal_receive_lsn pg_last_wal_replay_lsn pg_last_xact_replay_timestamp pg_get_wal_replay_pause_state
    pg_is_wal_replay_paused pg_stat_clear_snapshot pg_current_logfile pg_relation_size pg_table_size pg_indexes_size pg_total_relation_size
    pg_database_size pg_tablespace_size pg_column_size pg_relation_filepath pg_lock_status pg_isolation_test_session_is_blocked pg_blocking_pids
    pg_safe_snapshot_blocking_pids pg_notification_queue_usage json_populate_record set_config pg_jit_available pg_get_backend_memory_contexts
    pg_get_shmem_allocations pg_control_system pg_control_checkpoint pg_control_recovery pg_control_init pg_show_all_settings pg_hba_file_rules
    pg_show_all_file_settings pg_ident_file_mappings pg_config pg_timezone_names pg_cursor pg_prepared_statement pg_prepared_xact
    pg_available_extensions pg_available_extension_versions pg_ls_dir pg_ls_logdir pg_ls_waldir pg_ls_tmpdir pg_read_file
    pg_read_binary_file pg_stat_file pg_get_multixact_members pg_mcv_list_items`),
);

/** Not volatile in pg_proc, or not always there, and yet of one server. */
const OF_PRIMARY: ReadonlySet<string> = new Set(
  words(`nextval setval currval lastval txid_current pg_current_xact_id pg_current_wal_lsn pg_current_wal_insert_lsn pg_current_wal_flush_lsn
    pg_notify pg_export_snapshot dblink dblink_exec dblink_connect dblink_disconnect dblink_open dblink_fetch dblink_close dblink_send_query
    query_to_xml query_to_xmlschema query_to_xml_and_xmlschema cursor_to_xml`),
);

/** What is known of functions: PostgreSQL's own by the tables above, an app's by what was read from its pg_proc. */
export class VolatileFunctions {
  readonly #volatile: ReadonlySet<string>;

  /** `volatile`: the names that pg_proc has with provolatile "v", of all schemas. */
  constructor(volatile: Iterable<string>) {
    this.#volatile = new Set([...volatile].filter((name) => !HARMLESS.has(name)));
  }

  /** The first of these names that must be called on the primary. */
  among(functions: readonly string[]): string | undefined {
    return functions.find((name) => this.#volatile.has(name) || OF_PRIMARY.has(name));
  }
}

/** Reads the names that `VolatileFunctions` wants. Aggregates and what C code of extensions marks so are in it. */
export const VOLATILE_SQL = "SELECT DISTINCT proname FROM pg_catalog.pg_proc WHERE provolatile = 'v'";
