/** A shared store in Redis, Valkey or the embedded store: the steps of lease-scripts.ts over one connection, and a bus over another. */
import { createHash } from "node:crypto";
import type { Scheduler } from "../../base/index.ts";
import { type Argument, type Reply, ReplyError, textOf } from "../../resp/index.ts";
import { RespClient, type RespClientOptions, type StoreClient } from "../../resp/io/index.ts";
import type {
  BusListener,
  Invalidation,
  Lookup,
  NewValue,
  SharedStore,
  StoredValue,
} from "../store/store.ts";
import { Bus } from "./bus.ts";
import type { BusMessage } from "./bus-message.ts";
import { SCRIPT_NAMES, type ScriptName, type ScriptPlace, scriptFor } from "./lease-scripts.ts";

/** What a Redis store is made of. */
export interface RedisStoreOptions {
  readonly url: string;
  /** Keys and channel start with it. */
  readonly namespace: string;
  readonly deadlineMs: number;
  readonly newToken: () => string;
  readonly scheduler: Scheduler;
}

/** Fields of the versions: tags, and the few others. */
const TAGS_MAX = 100_000;
const PREFIXES_MAX = 64;
const NO_KEY = "";

/** Texts and digests of the scripts, by place. */
const SCRIPTS = { server: scriptsOf("server"), cluster: scriptsOf("cluster") };

/** Connects to one server; calls fail until there is a connection. `redisClusterStore` is for a cluster. */
export function createRedisStore(options: RedisStoreOptions): SharedStore {
  const { namespace, newToken, scheduler } = options;
  const client = new RespClient(clientOptions(options));
  const [origin, channel] = [newToken(), busChannel(namespace)];
  let bus: Bus | undefined;
  return new RedisStore({
    client,
    place: "server",
    namespace,
    origin,
    newToken,
    listen: (listener) => {
      bus?.close();
      bus = new Bus({ client: clientOptions(options), channels: [channel], origin, scheduler, listener });
    },
    close: () => {
      bus?.close();
      client.close();
    },
  });
}

/** Options of the client of a server, or of a cluster's nodes. */
export function clientOptions({ url, deadlineMs, scheduler }: RedisStoreOptions): RespClientOptions {
  return { url, deadlineMs, scheduler, connectTimeoutMs: Math.max(deadlineMs, 250), name: "tenfold-cache" };
}

/** Where invalidations of a namespace are told. */
export function busChannel(namespace: string): string {
  return `${namespace}:bus`;
}

/** The parts of a store whose keys are all on one server. */
export interface RedisStoreParts {
  readonly client: Pick<StoreClient, "call">;
  readonly place: ScriptPlace;
  readonly namespace: string;
  /** Marks our own messages. */
  readonly origin: string;
  readonly newToken: () => string;
  readonly listen: (listener: BusListener) => void;
  readonly close: () => void;
}

/** Keys of one namespace, by scripts. */
export class RedisStore implements SharedStore {
  readonly #parts: RedisStoreParts;
  readonly #channel: string;
  /** Whether the server is the embedded store: LEASE and INVALIDATE in place of scripts. */
  #hasCommands = false;

  constructor(parts: RedisStoreParts) {
    this.#parts = parts;
    this.#channel = busChannel(parts.namespace);
  }

  async lookup(key: string, request: { token: string; leaseMs: number; refresh: boolean }): Promise<Lookup> {
    const { token, leaseMs, refresh } = request;
    const reply = await this.#run("lookup", key, [key, token, Math.ceil(leaseMs), refresh ? "1" : "0"]);
    const [kind] = asList(reply);
    const value = valueFrom(reply);
    switch (textOf(kind)) {
      case "hit":
        if (value === undefined) throw new TypeError("the store's answer to a lookup has no value");
        return { kind: "hit", value };
      case "won":
        return { kind: "won", token, stale: value };
      case "wait":
        return { kind: "wait", stale: value };
      case undefined:
      default:
        throw new TypeError("the store's answer to a lookup cannot be understood");
    }
  }

  async peek(key: string): Promise<StoredValue | undefined> {
    return valueFrom(await this.#run("peek", key, [key]));
  }

  async fill(key: string, token: string, value: NewValue): Promise<boolean> {
    return (await this.#run("fill", key, [key, token, ...argumentsOf(value)])) === 1;
  }

  async renew(key: string, token: string, leaseMs: number): Promise<void> {
    await this.#run("renew", key, [token, Math.ceil(leaseMs)]);
  }

  async release(key: string, token: string): Promise<void> {
    await this.#run("release", key, [token]);
  }

  async put(key: string, value: NewValue): Promise<void> {
    await this.#run("put", key, [...this.#telling({ kind: "key", key, soft: false }), ...argumentsOf(value)]);
  }

  async beginWrite(key: string, token: string, leaseMs: number): Promise<void> {
    await this.#run("beginWrite", key, [token, Math.ceil(leaseMs)]);
  }

  async endWrite(key: string, token: string, value: NewValue): Promise<boolean> {
    const telling = this.#telling({ kind: "key", key, soft: false });
    return (await this.#run("endWrite", key, [key, ...telling, token, ...argumentsOf(value)])) === 1;
  }

  async invalidate(invalidation: Invalidation): Promise<void> {
    const telling = this.#telling(invalidation);
    switch (invalidation.kind) {
      case "key":
        await this.#run("invalidateKey", invalidation.key, [...telling, invalidation.soft ? "1" : "0"]);
        return;
      case "tag":
        await this.#run("invalidateTag", NO_KEY, [...telling, invalidation.tag, TAGS_MAX]);
        return;
      case "prefix":
        await this.#run("invalidatePrefix", NO_KEY, [...telling, invalidation.prefix, PREFIXES_MAX]);
        return;
      case "all":
        await this.#run("invalidateAll", NO_KEY, telling);
    }
  }

  listen(listener: BusListener): void {
    this.#parts.listen(listener);
  }

  async close(): Promise<void> {
    this.#parts.close();
  }

  #telling(invalidation: Invalidation): [channel: string, message: string] {
    const message: BusMessage = { from: this.#parts.origin, invalidation };
    return [this.#channel, JSON.stringify(message)];
  }

  /** Runs a step: a script on Redis, a command of its own on the embedded store, which has no scripts. */
  async #run(name: ScriptName, key: string, args: readonly Argument[]): Promise<Reply> {
    const { client, place, namespace, newToken } = this.#parts;
    const keys = [`${namespace}:e:${key}`, `${namespace}:l:${key}`, `${namespace}:v`];
    const rest = [...keys, newToken(), ...args];
    if (this.#hasCommands) return client.call([commandOf(name), name, ...rest]);
    const { text, digest } = SCRIPTS[place][name];
    try {
      return await client.call(["EVALSHA", digest, keys.length, ...rest]);
    } catch (error) {
      if (!(error instanceof ReplyError)) throw error;
      if (error.code === "NOSCRIPT") return client.call(["EVAL", text, keys.length, ...rest]);
      if (place === "cluster" || !error.message.includes("unknown command")) throw error;
      this.#hasCommands = true;
      return client.call([commandOf(name), name, ...rest]);
    }
  }
}

function scriptsOf(
  place: ScriptPlace,
): Record<ScriptName, { readonly text: string; readonly digest: string }> {
  const rows = SCRIPT_NAMES.map((name) => {
    const text = scriptFor(place, name);
    return [name, { text, digest: createHash("sha1").update(text).digest("hex") }] as const;
  });
  return Object.fromEntries(rows) as Record<ScriptName, { readonly text: string; readonly digest: string }>;
}

function commandOf(name: ScriptName): string {
  return name.startsWith("invalidate") ? "INVALIDATE" : "LEASE";
}

function argumentsOf({ payload, ttlMs, graceMs, loadMs, tags }: NewValue): Argument[] {
  // A lifetime of 0 would delete the key at once, as it should, but Redis calls it an error.
  return [payload, Math.max(1, Math.round(ttlMs)), Math.round(graceMs), Math.round(loadMs), tags.join("\0")];
}

function asList(reply: Reply): readonly Reply[] {
  if (!Array.isArray(reply)) throw new TypeError("the store's answer is no list");
  return reply as readonly Reply[];
}

/** The value in an answer; undefined when there is none. Throws when it is there and is nonsense. */
function valueFrom(reply: Reply): StoredValue | undefined {
  const [, freshMs, staleMs, loadMs, tags, payload] = asList(reply);
  if (freshMs === undefined) return undefined;
  const text = textOf(tags);
  if (
    typeof freshMs !== "number" ||
    typeof staleMs !== "number" ||
    text === undefined ||
    !(payload instanceof Uint8Array)
  ) {
    throw new TypeError("the store's answer holds no value of ours");
  }
  return {
    payload,
    freshMs,
    staleMs,
    loadMs: Number(textOf(loadMs)) || 0,
    tags: text === "" ? [] : text.split("\0"),
  };
}
