/**
 * What the cache knows of a database at one moment: relations and how they hang together, functions, the session.
 *
 * A table's key is "schema.table". A picture never changes; a new one is loaded when the version of `SCHEMA` moved.
 */
import { createHash } from "node:crypto";
import type { Name } from "../statement/facts.ts";

/** pg_class.relkind: table, partitioned table, view, materialised view, foreign table, sequence. */
export type RelationKind = "r" | "p" | "v" | "m" | "f" | "S";

/** One relation. */
export interface Relation {
  /** "schema.table". */
  readonly key: string;
  readonly kind: RelationKind;
  /** Whether it has row-level security, for whomever: a view may read it as somebody else. */
  readonly hasRowSecurity: boolean;
  /** Whether a write to it may run code of the user's: triggers or rules. */
  readonly runsCode: boolean;
  /** Of a view: its query. */
  readonly definition: string | undefined;
  /** Partitions and tables that inherit from it. */
  readonly children: Relation[];
  /** Tables whose foreign keys point here; `cascades` where a change here may change them. */
  readonly referencedBy: { readonly relation: Relation; readonly cascades: boolean }[];
}

/** The picture. */
export interface Catalog {
  /** Names the database among all that share a store. */
  readonly database: string;
  /** Stands for all that the session adds to an answer: role, search path, settings, version. */
  readonly session: string;
  /** Stands for the whole picture but the session. */
  readonly digest: string;
  readonly relation: (name: Name) => Relation | undefined;
  /** A function of the user's: undefined when there is none of that name, else whether one is volatile. */
  readonly isVolatile: (name: Name) => boolean | undefined;
  /** Operators of the user's that are not immutable. */
  readonly operators: ReadonlySet<string>;
  readonly relations: ReadonlyMap<string, Relation>;
}

/** The shape of the JSON that `CATALOG_SQL` gives. */
interface CatalogRow {
  readonly database: readonly [string, string];
  readonly cluster: string;
  readonly session: unknown;
  readonly path: readonly string[];
  readonly relations: readonly [string, string, string, RelationKind, boolean, boolean][] | null;
  readonly views: readonly [string, string][] | null;
  readonly columns: string | null;
  readonly children: readonly [string, string][] | null;
  readonly references: readonly [string, string, boolean][] | null;
  readonly triggers: readonly string[] | null;
  readonly functions: readonly [string, string, boolean][] | null;
  readonly operators: readonly string[] | null;
}

/** Makes the picture of the text that `CATALOG_SQL` gave. Throws a SyntaxError when it is no JSON. */
export function parseCatalog(text: string): Catalog {
  const row = JSON.parse(text) as CatalogRow;
  const relations = relationsOf(row);
  const byKey = new Map([...relations.values()].map((relation) => [relation.key, relation]));
  const functions = new Map(
    (row.functions ?? []).map(([schema, name, isVolatile]) => [`${schema}.${name}`, isVolatile]),
  );
  /** The first in the search path that is there. */
  const find = <T>(name: Name, map: ReadonlyMap<string, T>): T | undefined => {
    const schemas = name.schema === undefined ? row.path : [name.schema];
    for (const schema of schemas) {
      const found = map.get(`${schema}.${name.name}`);
      if (found !== undefined) return found;
    }
    return undefined;
  };
  return {
    database: hashOf([row.cluster, row.database]).slice(0, 12),
    session: hashOf([row.session, row.path]),
    digest: hashOf({ ...row, session: undefined, path: undefined }),
    relation: (name) => find(name, byKey),
    isVolatile: (name) => anyVolatile(name, row.path, functions),
    operators: new Set(row.operators ?? []),
    relations: byKey,
  };
}

/** Overloads in several schemas of the path are all candidates. */
function anyVolatile(
  name: Name,
  path: readonly string[],
  functions: ReadonlyMap<string, boolean>,
): boolean | undefined {
  const schemas = name.schema === undefined ? path : [name.schema];
  const found = schemas.flatMap((schema) => functions.get(`${schema}.${name.name}`) ?? []);
  return found.length === 0 ? undefined : found.includes(true);
}

function relationsOf(row: CatalogRow): Map<string, Relation> {
  const definitions = new Map(row.views ?? []);
  const triggers = new Set(row.triggers ?? []);
  const relations = new Map<string, Relation>();
  for (const [oid, schema, name, kind, hasRowSecurity, hasRules] of row.relations ?? [])
    relations.set(oid, {
      key: `${schema}.${name}`,
      kind,
      hasRowSecurity,
      // Every view has a rule: its query.
      runsCode: triggers.has(oid) || (hasRules && kind !== "v"),
      definition: definitions.get(oid),
      children: [],
      referencedBy: [],
    });
  for (const [parent, child] of row.children ?? []) {
    const relation = relations.get(child);
    if (relation !== undefined) relations.get(parent)?.children.push(relation);
  }
  for (const [referenced, referencing, cascades] of row.references ?? []) {
    const relation = relations.get(referencing);
    if (relation !== undefined) relations.get(referenced)?.referencedBy.push({ relation, cascades });
  }
  return relations;
}

function hashOf(value: unknown): string {
  return createHash("sha256").update(JSON.stringify(value)).digest("base64url");
}
