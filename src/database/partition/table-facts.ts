/** What the catalog says of a table, as far as a partitioned twin of it has to be the same. */
import { createHash } from "node:crypto";
import { MIRROR, quoteText, type TableName } from "./names.ts";

/** A column. */
export interface ColumnFacts {
  readonly name: string;
  readonly type: string;
  /** Whether the type, or the one below a domain, is an enum or one of Postgres itself. */
  readonly builtIn: boolean;
  /** "a" always, "d" by default, "" none. */
  readonly identity: string;
  /** "s" stored, "v" virtual, "" none. */
  readonly generated: string;
  /** The sequence that belongs to it, quoted for SQL. */
  readonly sequence: string | null;
  /** How many values ANALYZE takes; null = the server's default. */
  readonly statistics: number | null;
  /** "n_distinct=500". */
  readonly options: readonly string[];
}

/** An index. */
export interface IndexFacts {
  readonly oid: string;
  readonly name: string;
  readonly primary: boolean;
  readonly unique: boolean;
  readonly exclusion: boolean;
  readonly valid: boolean;
  readonly deferrable: boolean;
  /** Key columns; expressions are left out. */
  readonly columns: readonly string[];
  /** "PRIMARY KEY (id)" when a constraint has it. */
  readonly constraint: string | null;
  /** From "USING" on. */
  readonly using: string;
  readonly comment: string | null;
}

/** A privilege that somebody other than the owner has; "PUBLIC" is unquoted, names are quoted. */
export interface Grant {
  readonly privilege: string;
  readonly grantee: string;
  readonly grantable: boolean;
  readonly column: string | null;
}

/** A table. */
export interface TableFacts {
  readonly oid: string;
  readonly kind: string;
  readonly persistence: string;
  readonly owner: string;
  /** Estimate; -1 when nothing is known. */
  readonly rows: number;
  /** Storage parameters: "fillfactor=70". */
  readonly options: readonly string[];
  readonly ownTablespace: boolean;
  readonly rowSecurity: boolean;
  readonly replicaIdentity: string;
  readonly inherits: boolean;
  readonly comment: string | null;
  readonly columns: readonly ColumnFacts[];
  readonly indexes: readonly IndexFacts[];
  readonly foreignKeys: readonly { readonly name: string; readonly definition: string }[];
  readonly checks: readonly string[];
  readonly unvalidated: readonly string[];
  readonly referencedBy: readonly string[];
  readonly triggers: readonly string[];
  readonly rules: readonly string[];
  readonly views: readonly string[];
  readonly publications: readonly string[];
  /** What else the catalog ties to this very table, or to its row type: "function report()", "policy own on table parts". */
  readonly dependents: readonly string[];
  readonly grants: readonly Grant[];
}

const COLUMNS = `select json_agg(json_build_object('name', a.attname, 'type', format_type(a.atttypid, a.atttypmod),
  'builtIn', t.typtype = 'e' or b.typtype = 'e' or coalesce(b.typnamespace, t.typnamespace) = 'pg_catalog'::regnamespace,
  'identity', a.attidentity, 'generated', a.attgenerated,
  'sequence', pg_get_serial_sequence(format('%I.%I', n.nspname, c.relname), a.attname),
  'statistics', nullif(a.attstattarget, -1), 'options', coalesce(to_json(a.attoptions), '[]')) order by a.attnum)
  from pg_attribute a join pg_type t on t.oid = a.atttypid left join pg_type b on b.oid = t.typbasetype
  where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped`;

const INDEXES = `select json_agg(json_build_object('oid', i.indexrelid::text, 'name', x.relname, 'primary', i.indisprimary,
  'unique', i.indisunique, 'exclusion', i.indisexclusion, 'valid', i.indisvalid, 'deferrable', not i.indimmediate,
  'columns', (select coalesce(json_agg(a.attname order by k.place), '[]') from unnest(i.indkey::int2[]) with ordinality k(attnum, place)
    join pg_attribute a on a.attrelid = c.oid and a.attnum = k.attnum where k.place <= i.indnkeyatts),
  'constraint', (select pg_get_constraintdef(o.oid) from pg_constraint o where o.conindid = i.indexrelid and o.conrelid = c.oid and o.contype in ('p', 'u', 'x')),
  'using', substr(pg_get_indexdef(i.indexrelid), length(format('CREATE %sINDEX %I ON %I.%I ',
    case when i.indisunique then 'UNIQUE ' else '' end, x.relname, n.nspname, c.relname)) + 1),
  'comment', obj_description(x.oid, 'pg_class')) order by i.indexrelid)
  from pg_index i join pg_class x on x.oid = i.indexrelid where i.indrelid = c.oid`;

const GRANTS = `select json_agg(json_build_object('privilege', g.privilege_type, 'grantable', g.is_grantable, 'column', g.attname,
  'grantee', case when g.grantee = 0 then 'PUBLIC' else quote_ident(pg_get_userbyid(g.grantee)) end)
  order by g.attname, g.grantee, g.privilege_type)
  from (select null::name as attname, e.* from aclexplode(c.relacl) e
    union all select a.attname, e.* from pg_attribute a, aclexplode(a.attacl) e where a.attrelid = c.oid and not a.attisdropped) g
  where g.grantee <> c.relowner`;

/** Functions whose body or types name the table, policies of other tables, columns of its row type: they would go on with the old table. */
const DEPENDENTS = `select json_agg(distinct pg_describe_object(d.classid, d.objid, d.objsubid)) from pg_depend d
  where d.deptype = 'n' and (d.refclassid = 'pg_class'::regclass and d.refobjid = c.oid
      or d.refclassid = 'pg_type'::regclass and d.refobjid in (c.reltype, (select typarray from pg_type where oid = c.reltype)))
    and (d.classid in ('pg_proc'::regclass, 'pg_policy'::regclass, 'pg_type'::regclass)
      or d.classid = 'pg_class'::regclass and d.objid <> c.oid and d.refclassid = 'pg_type'::regclass)`;

/** Asks for the facts as one JSON in the column "facts"; no row when there is no such relation. search_path must be empty. */
export function factsQuery({ schema, table }: TableName): string {
  const constraint = (type: string, value: string, side = "conrelid") =>
    `(select coalesce(json_agg(${value} order by o.conname), '[]') from pg_constraint o where o.${side} = c.oid and ${type})`;
  return `select json_build_object('oid', c.oid::text, 'kind', c.relkind, 'persistence', c.relpersistence,
  'owner', pg_get_userbyid(c.relowner), 'rows', c.reltuples::bigint, 'options', coalesce(to_json(c.reloptions), '[]'),
  'ownTablespace', c.reltablespace <> 0, 'rowSecurity', c.relrowsecurity, 'replicaIdentity', c.relreplident,
  'inherits', exists (select 1 from pg_inherits where inhrelid = c.oid or inhparent = c.oid),
  'comment', obj_description(c.oid, 'pg_class'),
  'columns', coalesce((${COLUMNS}), '[]'), 'indexes', coalesce((${INDEXES}), '[]'),
  'foreignKeys', ${constraint("contype = 'f' and conparentid = 0", "json_build_object('name', o.conname, 'definition', pg_get_constraintdef(o.oid))")},
  'checks', ${constraint("contype = 'c'", "pg_get_constraintdef(o.oid)")},
  'unvalidated', ${constraint("not convalidated", "o.conname")},
  'referencedBy', ${constraint("contype = 'f'", "o.conrelid::regclass::text", "confrelid")},
  'triggers', (select coalesce(json_agg(tgname order by tgname), '[]') from pg_trigger where tgrelid = c.oid and not tgisinternal and tgname not like '${MIRROR.replaceAll("_", "\\_")}%'),
  'rules', (select coalesce(json_agg(rulename order by rulename), '[]') from pg_rewrite where ev_class = c.oid),
  'views', (select coalesce(json_agg(distinct r.ev_class::regclass::text), '[]') from pg_depend d join pg_rewrite r on r.oid = d.objid
    where d.classid = 'pg_rewrite'::regclass and d.refclassid = 'pg_class'::regclass and d.refobjid = c.oid and r.ev_class <> c.oid),
  'publications', (select coalesce(json_agg(p.pubname order by p.pubname), '[]') from pg_publication_tables p where p.schemaname = n.nspname and p.tablename = c.relname),
  'dependents', coalesce((${DEPENDENTS}), '[]'), 'grants', coalesce((${GRANTS}), '[]')) as facts
  from pg_class c join pg_namespace n on n.oid = c.relnamespace
  where n.nspname = ${quoteText(schema)} and c.relname = ${quoteText(table)}`;
}

/** Changes when the table's definition does, so that a copy begun before is not swapped in. */
export function fingerprintOf(facts: TableFacts): string {
  return createHash("sha256")
    .update(JSON.stringify({ ...facts, rows: 0 }))
    .digest("hex");
}
