/**
 * `cacheQueries` wraps a pool or a client of pg: the same object to all who use it, with a cache between.
 */
import { AS_TEXT, type QueryResult } from "./answer.ts";
import {
  callOf,
  isPool,
  isSubmittable,
  type PgClient,
  type PgPool,
  type QueryCall,
  type Submittable,
} from "./client.ts";
import { catalogFor, type Destination, dispatch, type Issued, writesIn } from "./dispatch.ts";
import { QueryCache, type QueryCacheOptions } from "./query-cache.ts";
import { Session } from "./session.ts";
import { countBypass } from "./stats.ts";
import { EVERYTHING, SCHEMA } from "./versions/versions.ts";

/** A pool or client with its cache. */
export type Cached<T> = T & { readonly queryCache: QueryCache };

/**
 * Wraps a pool or a client. Queries that can be cached are answered from the cache when nothing they depend on has been
 * written since; all else goes to the database as it is. All writes of the app must go through a wrapped pool or client
 * that shares the same versions, or be told to it.
 */
export function cacheQueries<T extends object>(client: T, options: QueryCacheOptions = {}): Cached<T> {
  const target = client as T & (PgClient | PgPool);
  const ask = (text: string): Promise<QueryResult> =>
    target.query({ text, types: AS_TEXT, rowMode: "array" }) as Promise<QueryResult>;
  const cache = new QueryCache(options, ask);
  const wrapped = isPool(target) ? wrapPool(target, cache) : wrapClient(target, cache, new Session());
  return wrapped as Cached<T>;
}

function wrapPool(pool: PgPool, cache: QueryCache): object {
  const sessions = new Map<PgClient, Session>();
  const wrappers = new WeakMap<PgClient, object>();
  pool.on("remove", (client) => sessions.delete(client));
  const session = new Session();
  const to: Destination = {
    session,
    isChanged: () => session.changed || [...sessions.values()].some((each) => each.changed),
    isShared: true,
    query: (config) => pool.query(config) as Promise<QueryResult>,
    types: pool.options.types,
    isBinary: pool.options.binary === true,
  };
  const wrapperOf = (client: PgClient): object => {
    let wrapper = wrappers.get(client);
    if (wrapper !== undefined) return wrapper;
    const own = new Session();
    sessions.set(client, own);
    wrapper = wrapClient(client, cache, own);
    wrappers.set(client, wrapper);
    return wrapper;
  };
  const connect = (callback?: unknown): unknown => {
    if (typeof callback !== "function") return (pool.connect() as Promise<PgClient>).then(wrapperOf);
    return pool.connect((error: unknown, client: PgClient | undefined, done: unknown) => {
      callback(error, client === undefined ? undefined : wrapperOf(client), done);
    });
  };
  // Each query finds a session of its own, so none waits for another.
  const query = querying(cache, to, (issue) => issue(), pool);
  return standIn(pool, { query, connect, queryCache: cache });
}

function wrapClient(client: PgClient, cache: QueryCache, session: Session): object {
  const { getTypeParser } = client;
  const to: Destination = {
    session,
    isChanged: () => session.changed,
    isShared: false,
    query: (config) => client.query(config) as Promise<QueryResult>,
    types: getTypeParser === undefined ? undefined : { getTypeParser: getTypeParser.bind(client) },
    isBinary: client.binary === true,
  };
  let last: Promise<unknown> = Promise.resolve();
  // What is asked in order goes out in order.
  const inOrder = <R>(issue: () => Promise<R>): Promise<R> => {
    const turn = last.then(issue);
    last = turn.then(
      () => {},
      () => {},
    );
    return turn;
  };
  return standIn(client, { query: querying(cache, to, inOrder, client), queryCache: cache });
}

/** Runs a query's issue now, or after those before it. */
type Order = (issue: () => Promise<Issued>) => Promise<Issued>;

/** The `query` of a wrapped pool or client. */
function querying(
  cache: QueryCache,
  to: Destination,
  order: Order,
  raw: PgClient | PgPool,
): (config: unknown, values?: unknown, callback?: unknown) => unknown {
  return (config, values, callback) => {
    if (isSubmittable(config)) return submitted(cache, to, order, { config, values, callback, raw });
    const call = callOf(config, values, callback);
    if (call === undefined) return raw.query(config, values, callback);
    const result = order(() => dispatch(cache, to, call)).then((issued) => issued.done);
    return handedOver(result, call);
  };
}

/** As a promise, or to the callback. */
function handedOver(result: Promise<QueryResult>, { callback }: QueryCall): Promise<QueryResult> | undefined {
  if (callback === undefined) return result;
  result.then(
    (value) => callback(undefined, value),
    (error: unknown) => callback(error),
  );
  return undefined;
}

interface Submission {
  readonly config: Submittable;
  readonly values: unknown;
  readonly callback: unknown;
  readonly raw: PgClient | PgPool;
}

/** Cursors and streams go by the cache. What they write is noted in a transaction; outside of one its end would be missed. */
function submitted(cache: QueryCache, to: Destination, order: Order, submission: Submission): Submittable {
  const { config, values, callback, raw } = submission;
  const issue = async (): Promise<Issued> => {
    if (!cache.statements.ready) await cache.statements.load();
    const statement = cache.statements.of(config.text ?? config.cursor?.text ?? "");
    countBypass(cache.counters, "stream");
    const resolution = cache.resolve(statement, await catalogFor(cache, to));
    // A stream without a text may be anything.
    const isUnknown = statement.facts.refusal === "unparsable";
    const writes = isUnknown ? [EVERYTHING, SCHEMA] : writesIn(to, statement.facts, resolution);
    if (writes.length > 0 && !to.session.inTransaction) {
      const error = new Error("a stream that writes needs a transaction: BEGIN before it, COMMIT after it");
      config.handleError?.(error, "connection" in raw ? raw.connection : undefined);
    } else {
      to.session.write(writes);
      raw.query(config, values, callback);
    }
    return { done: new Promise(() => {}) };
  };
  order(issue).catch((error: unknown) => config.handleError?.(error as Error));
  return config;
}

/** The same object with some members of its own. Methods see the original as `this`. */
function standIn(target: object, members: Readonly<Record<string, unknown>>): object {
  const bound = new WeakMap<object, unknown>();
  const wrapper: object = new Proxy(target, {
    get: (_, name) => {
      if (typeof name === "string" && Object.hasOwn(members, name)) return members[name];
      const value: unknown = Reflect.get(target, name, target);
      if (typeof value !== "function" || name === "constructor") return value;
      let method = bound.get(value);
      if (method === undefined) {
        method = (...args: unknown[]): unknown => {
          const result: unknown = Reflect.apply(value, target, args);
          return result === target ? wrapper : result;
        };
        bound.set(value, method);
      }
      return method;
    },
    set: (_, name, value) => Reflect.set(target, name, value, target),
  });
  return wrapper;
}
