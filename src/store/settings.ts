/**
 * What can be set while the store runs: CONFIG GET and CONFIG SET. Names and spellings are Redis'.
 */
import { POLICIES, type Policy } from "./eviction.ts";

/** How often the log is made durable. */
export const FSYNC = ["always", "everysec", "no"] as const;
/** One of `FSYNC`. */
export type Fsync = (typeof FSYNC)[number];

/** Everything that can be set. */
export interface Settings {
  /** Bytes of data beyond which keys are evicted, or writes refused; 0 for no bound. */
  maxMemoryBytes: number;
  policy: Policy;
  fsync: Fsync;
  /** Longest argument. */
  argumentBytesMax: number;
  /** Longest request. */
  requestBytesMax: number;
  /** Connections at once. */
  clientsMax: number;
  /** Seconds without a word after which a client is closed; 0 for never. */
  idleSecondsMax: number;
  /** Bytes of replies that a client may leave unread: beyond it is closed. */
  outputBytesMax: number;
  /** The same for subscribers, whom nothing slows down. */
  pubsubOutputBytesMax: number;
  /** Keys that client-side caching remembers. */
  trackingKeysMax: number;
  password: string;
  /** The log is rewritten when it has grown by so many percent since the last time; 0 for never. */
  rewritePercent: number;
  /** … and is at least this large. */
  rewriteBytesMin: number;
}

/** Defaults are Redis' where it has the setting, and bounded where Redis' is not. */
export const SETTINGS: Readonly<Settings> = {
  maxMemoryBytes: 0,
  policy: "noeviction",
  fsync: "everysec",
  argumentBytesMax: 512 * 1024 * 1024,
  requestBytesMax: 1024 * 1024 * 1024,
  clientsMax: 10_000,
  idleSecondsMax: 0,
  outputBytesMax: 1024 * 1024 * 1024,
  pubsubOutputBytesMax: 32 * 1024 * 1024,
  trackingKeysMax: 1_000_000,
  password: "",
  rewritePercent: 100,
  rewriteBytesMin: 64 * 1024 * 1024,
};

/** How a setting is read and set as text. */
export interface Parameter {
  readonly get: (settings: Settings) => string;
  /** False when the value is none. */
  readonly set?: (settings: Settings, text: string) => boolean;
}

type NumberKey = { [K in keyof Settings]: Settings[K] extends number ? K : never }[keyof Settings];

function bytes(key: NumberKey): Parameter {
  return {
    get: (settings) => String(settings[key]),
    set: (settings, text) => assign(settings, key, parseMemory(text)),
  };
}

function number(key: NumberKey): Parameter {
  return {
    get: (settings) => String(settings[key]),
    set: (settings, text) => assign(settings, key, /^\d{1,15}$/.test(text) ? Number(text) : undefined),
  };
}

function assign(settings: Settings, key: NumberKey, value: number | undefined): boolean {
  if (value === undefined) return false;
  settings[key] = value;
  return true;
}

const fixed = (value: string): Parameter => ({ get: () => value });

/** Name -> how it is read and set. What cannot be changed here is readable, for clients that look. */
export const PARAMETERS: Readonly<Record<string, Parameter>> = {
  maxmemory: bytes("maxMemoryBytes"),
  "maxmemory-policy": {
    get: ({ policy }) => policy,
    set: (settings, text) => {
      const policy = POLICIES.find((known) => known === text.toLowerCase());
      if (policy !== undefined) settings.policy = policy;
      return policy !== undefined;
    },
  },
  appendfsync: {
    get: ({ fsync }) => fsync,
    set: (settings, text) => {
      const fsync = FSYNC.find((known) => known === text.toLowerCase());
      if (fsync !== undefined) settings.fsync = fsync;
      return fsync !== undefined;
    },
  },
  "proto-max-bulk-len": bytes("argumentBytesMax"),
  "client-query-buffer-limit": bytes("requestBytesMax"),
  maxclients: number("clientsMax"),
  timeout: number("idleSecondsMax"),
  "tracking-table-max-keys": number("trackingKeysMax"),
  requirepass: {
    get: ({ password }) => password,
    set: (settings, text) => {
      settings.password = text;
      return true;
    },
  },
  "auto-aof-rewrite-percentage": number("rewritePercent"),
  "auto-aof-rewrite-min-size": bytes("rewriteBytesMin"),
  "client-output-buffer-limit": {
    get: ({ outputBytesMax, pubsubOutputBytesMax }) =>
      `normal ${outputBytesMax} 0 0 slave 0 0 0 pubsub ${pubsubOutputBytesMax} 0 0`,
    set: setOutputLimits,
  },
  "maxmemory-samples": fixed("10"),
  "lfu-log-factor": fixed("10"),
  "lfu-decay-time": fixed("1"),
  databases: fixed("16"),
  save: fixed(""),
  "notify-keyspace-events": fixed(""),
  "hash-max-listpack-entries": fixed("128"),
  "hash-max-listpack-value": fixed("64"),
  "set-max-intset-entries": fixed("512"),
  "zset-max-listpack-entries": fixed("128"),
  "zset-max-listpack-value": fixed("64"),
  "list-max-listpack-size": fixed("-2"),
};

/** "class hard soft seconds" in groups of four; soft limits are not kept. */
function setOutputLimits(settings: Settings, text: string): boolean {
  const words = text.trim().split(/\s+/);
  if (words.length % 4 !== 0) return false;
  for (let at = 0; at < words.length; at += 4) {
    const limit = parseMemory(words[at + 1] ?? "");
    if (limit === undefined) return false;
    if (words[at] === "normal") settings.outputBytesMax = limit;
    else if (words[at] === "pubsub") settings.pubsubOutputBytesMax = limit;
    else if (words[at] !== "slave" && words[at] !== "replica") return false;
  }
  return true;
}

const UNITS: Readonly<Record<string, number>> = {
  "": 1,
  b: 1,
  k: 1000,
  kb: 1024,
  m: 1e6,
  mb: 1024 ** 2,
  g: 1e9,
  gb: 1024 ** 3,
};

/** "100mb", as Redis reads sizes: "k" is a thousand, "kb" is 1024. */
function parseMemory(text: string): number | undefined {
  const match = /^(\d{1,15})([a-z]*)$/i.exec(text);
  const unit = UNITS[match?.[2]?.toLowerCase() ?? "?"];
  return match === null || unit === undefined ? undefined : Number(match[1]) * unit;
}
