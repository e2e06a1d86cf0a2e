/**
 * Versions of tables, and the marks of those being written: what keeps cached answers in commit order.
 *
 *   writer:  before(tables) = mark  ->  COMMIT  ->  committed(token) = new versions, mark gone, in one step
 *   reader:  snapshot(tables)  ->  cached under the same versions? answer : query, then store under those versions
 *
 * A reader that finds a mark asks the database. From before a commit can be seen until its version is new, there is a
 * mark; so an answer that is cached under present versions is what the database would say. A mark that is not taken
 * away, since its writer died, ends at its expiry and counts as a change.
 */

/** Stands for all tables: every answer depends on it. */
export const EVERYTHING = "*";

/** Stands for all definitions: when it moves, catalogs are read anew. */
export const SCHEMA = "#schema";

/** A write that was announced. */
export interface WriteToken {
  readonly id: string;
  readonly tables: readonly string[];
  /** The version of `SCHEMA` when it was announced; undefined when a definition is being changed. */
  readonly schema: string | undefined;
}

/**
 * What a router or any other writer of the database calls around its commits.
 *
 * `tables` are "schema.table" with their partitions and what foreign keys and triggers carry on, or `EVERYTHING`. Each
 * call rejects when the store does not answer in time.
 */
export interface TableVersions {
  /** Marks tables as being written, before the COMMIT, or before a statement that commits by itself, is sent. */
  readonly before: (tables: readonly string[]) => Promise<WriteToken>;
  /** The commit was acknowledged, or nobody knows. Gives the version of `SCHEMA` now. May be repeated. */
  readonly committed: (token: WriteToken) => Promise<string | undefined>;
  /** Nothing was written: the marks go, the versions stay. */
  readonly rolledBack: (token: WriteToken) => Promise<void>;
}

/** Versions as the cache uses them. */
export interface VersionStore extends TableVersions {
  /** How long a mark lasts unless it is renewed, ms. */
  readonly markMs: number;
  /** The versions of tables, in order, none of them marked; undefined when one is. */
  readonly snapshot: (tables: readonly string[]) => Promise<readonly string[] | undefined>;
  /** Moves the expiry of a token's marks: the write is still under way. */
  readonly renew: (token: WriteToken) => Promise<void>;
}

/** How long a mark lasts unless it is renewed: longer than a commit, shorter than anybody's patience. */
export const MARK_MS = 10_000;
