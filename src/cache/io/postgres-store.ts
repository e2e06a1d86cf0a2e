/**
 * A shared store in Postgres, for who has no other: the functions of postgres-schema.ts over a few connections, and NOTIFY
 * as the bus over another. One round trip a call; a put takes two.
 */
import { createHash } from "node:crypto";
import { type Random, type Scheduler, systemRandom } from "../../base/index.ts";
import { identity } from "../../postgres/index.ts";
import { PostgresClient, PostgresListener, type Row, startSweeper } from "../../postgres/io/index.ts";
import type {
  BusListener,
  Invalidation,
  Lookup,
  LookupRequest,
  NewValue,
  SharedStore,
  StoredValue,
} from "../store/store.ts";
import { type BusMessage, parseMessage } from "./bus-message.ts";
import { CACHE_SCHEMA } from "./postgres-schema.ts";

/** What a Postgres store is made of. */
export interface PostgresStoreOptions {
  /** `pg://`, `postgres://` or `postgresql://`. */
  readonly url: string;
  /** Rows and channel bear it: one database may hold several caches. */
  readonly namespace: string;
  readonly deadlineMs: number;
  readonly newToken: () => string;
  readonly scheduler: Scheduler;
  readonly random?: Random;
}

/** Prefixes, and tags, that are told apart; beyond, too much is invalidated. */
const PREFIXES_MAX = 64;
const TAGS_MAX = 100_000;

/** Rows of all caches of a database: a bound on what it costs, since Postgres itself drops nothing. */
const ROWS_MAX = 1_000_000;

/** Rows that one transaction of the sweeper takes: about 10 ms. */
const SWEPT_MAX = 1000;

/** Between the two steps of a put: longer than any deadline, and soon over when the process died. */
const PUT_LEASE_MS = 5000;

/** Postgres refuses a NOTIFY of 8,000 bytes. */
const MESSAGE_BYTES_MAX = 7999;

/** Connects by and by. Throws when the URL is none, or the package pg is not installed. */
export function createPostgresStore(options: PostgresStoreOptions): SharedStore {
  return new PostgresStore(options);
}

class PostgresStore implements SharedStore {
  readonly #options: PostgresStoreOptions;
  readonly #client: PostgresClient;
  readonly #origin: string;
  readonly #channel: string;
  readonly #stopSweeper: () => void;
  #bus: PostgresListener | undefined;

  constructor(options: PostgresStoreOptions) {
    const { url, deadlineMs, scheduler, namespace, newToken, random = systemRandom } = options;
    this.#options = options;
    this.#origin = newToken();
    this.#channel = `tenfold_${createHash("sha256").update(namespace).digest("hex").slice(0, 32)}`;
    this.#client = new PostgresClient({
      url,
      schema: CACHE_SCHEMA,
      name: "tenfold-cache",
      deadlineMs,
      scheduler,
    });
    const sweep = async (): Promise<number> =>
      Number((await this.#rows("sweep", [SWEPT_MAX, ROWS_MAX, TAGS_MAX]))[0]?.[0]);
    this.#stopSweeper = startSweeper({ sweep, batch: SWEPT_MAX, scheduler, random });
  }

  async lookup(key: string, { token, leaseMs, refresh }: LookupRequest): Promise<Lookup> {
    const [row] = await this.#rows("lookup", [...this.#place(key), token, leaseMs, refresh]);
    const value = valueFrom(row);
    switch (row?.[0]) {
      case "hit":
        if (value === undefined) throw new TypeError("the store's answer to a lookup has no value");
        return { kind: "hit", value };
      case "won":
        return { kind: "won", token, stale: value };
      case "wait":
        return { kind: "wait", stale: value };
      case undefined:
      case null:
      default:
        throw new TypeError("the store's answer to a lookup cannot be understood");
    }
  }

  async peek(key: string): Promise<StoredValue | undefined> {
    return valueFrom((await this.#rows("peek", this.#place(key)))[0]);
  }

  async fill(key: string, token: string, value: NewValue): Promise<boolean> {
    return isTrue(await this.#rows("fill", [...this.#place(key), token, ...partsOf(value)]));
  }

  async renew(key: string, token: string, leaseMs: number): Promise<void> {
    await this.#rows("renew", [this.#options.namespace, identity(key), token, leaseMs]);
  }

  async release(key: string, token: string): Promise<void> {
    await this.#rows("release", [this.#options.namespace, identity(key), token]);
  }

  async put(key: string, value: NewValue): Promise<void> {
    const token = this.#options.newToken();
    await this.#begin(key, token, PUT_LEASE_MS, "P");
    await this.#end(key, token, value, true);
  }

  async beginWrite(key: string, token: string, leaseMs: number): Promise<void> {
    await this.#begin(key, token, leaseMs, "W");
  }

  endWrite(key: string, token: string, value: NewValue): Promise<boolean> {
    return this.#end(key, token, value, false);
  }

  async invalidate(invalidation: Invalidation): Promise<void> {
    const { namespace } = this.#options;
    const telling = this.#telling(invalidation);
    const raise = (kind: "t" | "p" | "a", name: Buffer): Promise<readonly Row[]> =>
      this.#rows("invalidate", [namespace, kind, name, PREFIXES_MAX, ...telling]);
    switch (invalidation.kind) {
      case "key": {
        const { key, soft } = invalidation;
        await this.#rows("invalidate_key", [namespace, identity(key), soft, ...telling]);
        return;
      }
      case "tag":
        await raise("t", identity(invalidation.tag));
        return;
      case "prefix":
        await raise("p", Buffer.from(invalidation.prefix).subarray(0, PREFIX_BYTES_MAX));
        return;
      case "all":
        await raise("a", Buffer.of());
    }
  }

  listen({ invalidated, interrupted }: BusListener): void {
    const { url, scheduler } = this.#options;
    this.#bus?.close();
    this.#bus = new PostgresListener({
      url,
      channel: this.#channel,
      name: "tenfold-cache-bus",
      scheduler,
      interrupted,
      heard: (payload) => {
        const message = parseMessage(payload);
        if (message === undefined) interrupted();
        else if (message.from !== this.#origin) invalidated(message.invalidation);
      },
    });
  }

  async close(): Promise<void> {
    this.#stopSweeper();
    this.#bus?.close();
    await this.#client.close();
  }

  async #begin(key: string, token: string, leaseMs: number, kind: "P" | "W"): Promise<void> {
    await this.#rows("begin", [this.#options.namespace, identity(key), token, leaseMs, kind]);
  }

  async #end(key: string, token: string, value: NewValue, isPut: boolean): Promise<boolean> {
    const telling = this.#telling({ kind: "key", key, soft: false });
    const values = [...this.#place(key), token, ...partsOf(value), isPut, ...telling];
    return isTrue(await this.#rows("end", values));
  }

  #place(key: string): readonly unknown[] {
    return [this.#options.namespace, identity(key), Buffer.from(key)];
  }

  /** The channel, and a message of ASCII alone, which every encoding has. One that would be too long invalidates everything. */
  #telling(invalidation: Invalidation): readonly [channel: string, message: string] {
    const write = (message: BusMessage): string =>
      JSON.stringify(message).replace(
        /[\u0080-\uffff]/g,
        (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`,
      );
    const message = write({ from: this.#origin, invalidation });
    if (message.length <= MESSAGE_BYTES_MAX) return [this.#channel, message];
    return [this.#channel, write({ from: this.#origin, invalidation: { kind: "all" } })];
  }

  #rows(name: string, values: readonly unknown[]): Promise<readonly Row[]> {
    const places = values.map((_, index) => `$${index + 1}`).join(", ");
    return this.#client.run({
      name: `tenfold_cache_${name}`,
      text: `SELECT * FROM tenfold.cache_${name}(${places})`,
      values,
    });
  }
}

/** Longer prefixes are cut to fit an index: they then invalidate too much, never too little. */
const PREFIX_BYTES_MAX = 1024;

function partsOf({ payload, ttlMs, graceMs, loadMs, tags }: NewValue): readonly unknown[] {
  return [payload, ttlMs, graceMs, loadMs, tags.map((tag) => Buffer.from(tag))];
}

function isTrue(rows: readonly Row[]): boolean {
  return rows[0]?.[0] === "t";
}

/** The value in a row of kind, fresh, stale, load, tags, payload; undefined when there is none. */
function valueFrom(row: Row | undefined): StoredValue | undefined {
  const [, freshMs, staleMs, loadMs, tags, payload] = row ?? [];
  if (freshMs === undefined || freshMs === null) return undefined;
  return {
    payload: bytesOf(payload ?? ""),
    freshMs: Number(freshMs),
    staleMs: Number(staleMs),
    loadMs: Number(loadMs),
    tags: [...(tags ?? "").matchAll(/\\x([0-9a-f]*)/g)].map(([, hex = ""]) =>
      Buffer.from(hex, "hex").toString(),
    ),
  };
}

/** A bytea as the server writes it: "\x00ff". */
function bytesOf(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text.slice(2), "hex"));
}
