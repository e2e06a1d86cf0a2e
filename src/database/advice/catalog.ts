/** What a database says of its tables, columns and indexes, and of how they are used. */

/** A column and its statistics (pg_stats); without statistics shares are not known. */
export interface ColumnFacts {
  readonly name: string;
  /** As format_type() writes it: "timestamp with time zone". */
  readonly type: string;
  readonly notNull: boolean;
  readonly hasStatistics: boolean;
  readonly nullFraction: number;
  /** > 0 a count, < 0 a share of the rows (pg_stats.n_distinct). */
  readonly distinct: number;
  /** -1 to 1: how far rows lie in its order. */
  readonly correlation: number;
  /** Values at equal shares of the rows, in order. */
  readonly bounds: readonly string[];
  readonly common: readonly { readonly value: string; readonly fraction: number }[];
}

/** A table. */
export interface TableFacts {
  readonly schema: string;
  readonly name: string;
  /** "r" a table, "p" a partitioned one. */
  readonly kind: string;
  readonly isPartition: boolean;
  readonly rows: number;
  readonly heapBytes: number;
  readonly totalBytes: number;
  readonly sequentialScans: number;
  readonly sequentialRows: number;
  readonly deadRows: number;
  readonly liveRows: number;
  readonly hasPrimaryKey: boolean;
  readonly columns: readonly ColumnFacts[];
}

/** An index. */
export interface IndexFacts {
  readonly schema: string;
  readonly table: string;
  readonly name: string;
  /** "btree" … */
  readonly method: string;
  /** Keys with operator class, collation and direction, as text: equal texts, equal order. */
  readonly keys: readonly string[];
  /** Columns or expressions of the keys, without those. */
  readonly columns: readonly string[];
  readonly included: readonly string[];
  readonly predicate: string | undefined;
  readonly isUnique: boolean;
  /** A unique one that takes NULLs for equal. */
  readonly equalsNulls: boolean;
  readonly isPrimary: boolean;
  readonly isConstraint: boolean;
  readonly isReplicaIdentity: boolean;
  readonly isClustered: boolean;
  /** Of a partition, or of all partitions of a table: those go and stay together. */
  readonly isPartition: boolean;
  /** True also while it is being made. */
  readonly isValid: boolean;
  readonly bytes: number;
  readonly scans: number;
}

/** A foreign key. */
export interface ForeignKey {
  readonly name: string;
  readonly schema: string;
  readonly table: string;
  readonly columns: readonly string[];
  readonly references: string;
}

/** Whether an index finds the rows of a key: its columns come first in it, in any order, and it has all rows. */
export function servesForeignKey({ schema, table, columns }: ForeignKey, index: IndexFacts): boolean {
  if (index.schema !== schema || index.table !== table || index.predicate !== undefined) return false;
  const first = index.columns.slice(0, columns.length);
  return index.isValid && columns.every((column) => first.includes(column));
}

/** All of a database. */
export interface Catalog {
  readonly tables: readonly TableFacts[];
  readonly indexes: readonly IndexFacts[];
  readonly foreignKeys: readonly ForeignKey[];
}

/** Of the rows: those with one value of the column, as the planner guesses it. */
export function equalityShare({ hasStatistics, distinct, nullFraction }: ColumnFacts, rows: number): number {
  if (!hasStatistics || distinct === 0) return 1;
  const count = distinct > 0 ? distinct : -distinct * Math.max(1, rows);
  return (1 - nullFraction) / Math.max(1, count);
}

/** The largest tables of a database; the small ones need no index. */
const TABLES_MAX = 500;

/** Leaves out what the system, extensions and temporary tables have. */
const OURS = `n.nspname not in ('pg_catalog', 'information_schema') and n.nspname !~ '^pg_(toast|temp)'
  and not exists (select 1 from pg_depend d where d.classid = 'pg_class'::regclass and d.objid = c.oid and d.deptype = 'e')`;

/** Tables, one JSON object a row in "fact". */
export const TABLES_QUERY: string = `
select json_build_object('schema', n.nspname, 'name', c.relname, 'kind', c.relkind, 'isPartition', c.relispartition,
  'rows', greatest(c.reltuples, 0), 'heapBytes', pg_relation_size(c.oid), 'totalBytes', pg_total_relation_size(c.oid),
  'sequentialScans', coalesce(s.seq_scan, 0), 'sequentialRows', coalesce(s.seq_tup_read, 0),
  'deadRows', coalesce(s.n_dead_tup, 0), 'liveRows', coalesce(s.n_live_tup, 0),
  'hasPrimaryKey', exists (select 1 from pg_index i where i.indrelid = c.oid and i.indisprimary),
  'columns', (select coalesce(json_agg(json_build_object('name', a.attname, 'type', format_type(a.atttypid, a.atttypmod),
      'notNull', a.attnotnull, 'hasStatistics', t.attname is not null, 'nullFraction', coalesce(t.null_frac, 0),
      'distinct', coalesce(t.n_distinct, 0), 'correlation', coalesce(t.correlation, 0),
      'bounds', coalesce(to_json(t.histogram_bounds::text::text[]), '[]'),
      'common', (select coalesce(json_agg(json_build_object('value', v, 'fraction', f)), '[]')
        from unnest(t.most_common_vals::text::text[], t.most_common_freqs) as m(v, f))) order by a.attnum), '[]')
    from pg_attribute a left join pg_stats t on t.schemaname = n.nspname and t.tablename = c.relname and t.attname = a.attname
      and t.inherited = (c.relkind = 'p')
    where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped))::text as fact
from pg_class c join pg_namespace n on n.oid = c.relnamespace left join pg_stat_user_tables s on s.relid = c.oid
where c.relkind in ('r', 'p') and ${OURS}
order by pg_total_relation_size(c.oid) desc limit ${TABLES_MAX}`;

/** Indexes, the same way. */
export const INDEXES_QUERY: string = `
select json_build_object('schema', n.nspname, 'table', c.relname, 'name', x.relname, 'method', m.amname,
  'keys', (select json_agg(concat_ws(' ', pg_get_indexdef(i.indexrelid, k, true), i.indclass[k - 1], i.indcollation[k - 1],
    i.indoption[k - 1]) order by k) from generate_series(1, i.indnkeyatts) k),
  'columns', (select json_agg(coalesce((select a.attname::text from pg_attribute a where a.attrelid = c.oid
    and a.attnum = i.indkey[k - 1] and a.attnum > 0), pg_get_indexdef(i.indexrelid, k, true)) order by k)
    from generate_series(1, i.indnkeyatts) k),
  'included', (select coalesce(json_agg(pg_get_indexdef(i.indexrelid, k, true) order by k), '[]')
    from generate_series(i.indnkeyatts + 1, i.indnatts) k),
  'predicate', pg_get_expr(i.indpred, i.indrelid), 'isUnique', i.indisunique,
  'equalsNulls', coalesce(to_jsonb(i) ->> 'indnullsnotdistinct' = 'true', false), 'isPrimary', i.indisprimary,
  'isConstraint', exists (select 1 from pg_constraint o where o.conindid = i.indexrelid), 'isReplicaIdentity', i.indisreplident,
  'isClustered', i.indisclustered, 'isPartition', x.relispartition or x.relkind = 'I', 'isValid', i.indisvalid or c.relkind = 'p'
    or exists (select 1 from pg_stat_progress_create_index p where p.index_relid = i.indexrelid),
  'bytes', pg_relation_size(x.oid), 'scans', coalesce(s.idx_scan, 0))::text as fact
from pg_index i join pg_class x on x.oid = i.indexrelid join pg_class c on c.oid = i.indrelid
join pg_namespace n on n.oid = c.relnamespace join pg_am m on m.oid = x.relam
left join pg_stat_user_indexes s on s.indexrelid = i.indexrelid
where ${OURS} order by x.oid`;

/** Foreign keys, the same way. */
export const FOREIGN_KEYS_QUERY: string = `
select json_build_object('name', o.conname, 'schema', n.nspname, 'table', c.relname, 'references', f.relname,
  'columns', (select json_agg(a.attname order by u.at) from unnest(o.conkey) with ordinality u(num, at)
    join pg_attribute a on a.attrelid = o.conrelid and a.attnum = u.num))::text as fact
from pg_constraint o join pg_class c on c.oid = o.conrelid join pg_namespace n on n.oid = c.relnamespace
join pg_class f on f.oid = o.confrelid
where o.contype = 'f' and o.conparentid = 0 and ${OURS}`;

/** Reads what the three queries gave. */
export function readCatalog(
  tables: readonly string[],
  indexes: readonly string[],
  foreignKeys: readonly string[],
): Catalog {
  return {
    tables: tables.map((text) => JSON.parse(text) as TableFacts),
    indexes: indexes.map((text) => {
      const { predicate, ...index } = JSON.parse(text) as IndexFacts & { predicate: string | null };
      return { ...index, predicate: predicate ?? undefined };
    }),
    foreignKeys: foreignKeys.map((text) => JSON.parse(text) as ForeignKey),
  };
}
