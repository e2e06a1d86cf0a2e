/**
 * What a router may do with a statement whose server is lost while it runs, as far as its text tells.
 *
 * The one question is what is left behind when it is run once more after a run that was rolled back, or was never committed.
 */
import { type StatementFacts, Statements, type TextFacts } from "../../sql/index.ts";
import type { Statement } from "./prepared.ts";

/**
 * "read": changes nothing. "write": changes rows, in its transaction alone. "calls": a query that calls functions which may do anything.
 * "commit": ends a transaction for good. "other": whatever must not be taken apart or repeated.
 */
export type WriteKind = "read" | "write" | "calls" | "commit" | "other";

/** First words of what changes rows. */
const CHANGES: ReadonlySet<string> = new Set(["insert", "update", "delete", "merge"]);

/** First words of queries, in which a change of rows may stand. */
const QUERIES: ReadonlySet<string> = new Set(["select", "with", "values", "table", "("]);

/** PostgreSQL's own functions that apps' queries call most; each is immutable or stable, or its value is all that it does. */
const HARMLESS: ReadonlySet<string> = new Set(
  `abs age any_value array_agg array_length array_position array_remove array_to_string avg bit_length bool_and bool_or btrim ceil ceiling char
  char_length character_length clock_timestamp coalesce concat concat_ws count cume_dist current_database current_schema current_setting date
  date_bin date_part date_trunc decimal dense_rank every exp extract first_value float floor format gen_random_uuid generate_series greatest
  initcap jsonb json json_agg json_array_elements json_build_array json_build_object json_extract_path json_object_agg jsonb_agg
  jsonb_array_elements jsonb_array_elements_text jsonb_array_length jsonb_build_array jsonb_build_object jsonb_each jsonb_each_text
  jsonb_exists jsonb_extract_path jsonb_extract_path_text jsonb_object_agg jsonb_object_keys jsonb_path_exists jsonb_path_query jsonb_set
  jsonb_strip_nulls jsonb_typeof lag last_value lead least left length ln log lower lpad ltrim make_date make_interval make_timestamp max md5
  min mod now nth_value ntile nullif num_nonnulls num_nulls numeric octet_length overlay percent_rank percentile_cont percentile_disc
  pg_backend_pid pg_sleep pg_typeof position power random rank regexp_match regexp_matches regexp_replace regexp_split_to_array repeat replace
  reverse right round row_number row_to_json rpad rtrim sign similarity split_part sqrt statement_timestamp stddev string_agg string_to_array
  strpos substr substring sum time timestamp timestamptz to_char to_date to_json to_jsonb to_number to_regclass to_timestamp to_tsquery
  to_tsvector translate transaction_timestamp trim trunc ts_rank ts_rank_cd unnest upper uuidv7 varchar variance version websearch_to_tsquery
  plainto_tsquery width_bucket`.split(/\s+/),
);

/** Kinds of texts, remembered. */
export class WriteKinds {
  readonly #statements = new Statements();
  readonly #prepared = new WeakMap<Statement, WriteKind>();

  /** The kind of a query's text. */
  of(text: string): WriteKind {
    return kindOf(this.#statements.of(text));
  }

  /** …of a prepared statement; `text` gives its text. */
  ofPrepared(statement: Statement, text: () => string): WriteKind {
    let kind = this.#prepared.get(statement);
    if (kind === undefined) {
      kind = this.of(text());
      this.#prepared.set(statement, kind);
    }
    return kind;
  }
}

function kindOf({ statements, unfinished }: TextFacts): WriteKind {
  const [only] = statements;
  if (unfinished || only === undefined || statements.length > 1) return "other";
  return kindOfStatement(only);
}

function kindOfStatement({ verb, effects, reason, functions }: StatementFacts): WriteKind {
  if (effects.length > 0) {
    const [effect] = effects;
    const isCommit = effects.length === 1 && effect?.kind === "commit" && !effect.chain;
    return isCommit ? "commit" : "other";
  }
  if (CHANGES.has(verb)) return "write";
  if (!QUERIES.has(verb)) return "other";
  if (reason === "writes" || reason === "locks-rows") return "write";
  if (reason !== "reads") return "other";
  return functions.every((name) => HARMLESS.has(name)) ? "read" : "calls";
}
