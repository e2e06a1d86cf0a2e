/**
 * Keeps the picture of the database's definitions up to date.
 *
 * It is loaded with the first query, anew when the version of `SCHEMA` moved, and once a minute in case somebody changed
 * definitions by other ways: when it then differs, that is announced to all.
 */
import type { Clock } from "../../../base/index.ts";
import { EVERYTHING, SCHEMA, type VersionStore } from "../versions/versions.ts";
import { type Catalog, parseCatalog } from "./catalog.ts";

/** A picture with the version of `SCHEMA` that it belongs to. */
export interface DatedCatalog {
  readonly catalog: Catalog;
  readonly version: string;
}

/** What it is made of. */
export interface CatalogSourceOptions {
  readonly versions: VersionStore;
  readonly clock: Clock;
  /** Age at which the picture is checked. */
  readonly refreshMs: number;
}

/** After a failure the database is left in peace for so long. */
const RETRY_MS = 1000;

/** Tries per load: the first may only find that no version is there yet, or that another's change was missed. */
const TRIES = 3;

/** The picture of one pool's or client's database. */
export class CatalogSource {
  readonly #options: CatalogSourceOptions;
  #current: DatedCatalog | undefined;
  #loading: Promise<DatedCatalog | undefined> | undefined;
  #dueAtMs = Number.NEGATIVE_INFINITY;
  #isStale = true;

  constructor(options: CatalogSourceOptions) {
    this.#options = options;
  }

  /** The picture as it was last; undefined before the first. What is decided by an old one is checked by its version. */
  get current(): DatedCatalog | undefined {
    return this.#current;
  }

  /** The version of `SCHEMA` moved: the next `ensure` loads. */
  invalidate(): void {
    this.#isStale = true;
    if (this.#current !== undefined) this.#dueAtMs = Number.NEGATIVE_INFINITY;
  }

  /** The picture, loaded by `load` (which runs `CATALOG_SQL`) where that is due; undefined when it cannot be had. */
  ensure(load: () => Promise<string>): DatedCatalog | undefined | Promise<DatedCatalog | undefined> {
    if (this.#options.clock.nowMs() < this.#dueAtMs) return this.#isStale ? undefined : this.#current;
    this.#loading ??= this.#load(load).finally(() => {
      this.#loading = undefined;
    });
    return this.#loading;
  }

  async #load(load: () => Promise<string>): Promise<DatedCatalog | undefined> {
    const { clock, refreshMs } = this.#options;
    try {
      for (let tries = 0; tries < TRIES; tries += 1) {
        const loaded = await this.#try(load);
        if (loaded === undefined) continue;
        this.#isStale = false;
        this.#dueAtMs = clock.nowMs() + refreshMs;
        this.#current = loaded;
        return loaded;
      }
    } catch {
      // The query that wanted it goes to the database and meets the same trouble there, or none.
    }
    this.#dueAtMs = clock.nowMs() + RETRY_MS;
    return undefined;
  }

  async #try(load: () => Promise<string>): Promise<DatedCatalog | undefined> {
    const { versions } = this.#options;
    const [version] = (await versions.snapshot([SCHEMA])) ?? [];
    if (version === undefined) return undefined;
    const catalog = parseCatalog(await load());
    const before = this.#current;
    if (before?.version !== version || before.catalog.digest === catalog.digest) return { catalog, version };
    // Somebody changed definitions without a word: every answer may be another one now, in all processes.
    this.#current = undefined;
    await versions.committed({ id: "", tables: [SCHEMA, EVERYTHING], schema: undefined });
    return undefined;
  }
}
