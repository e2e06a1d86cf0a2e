/** What a user says about a cache, checked and completed. */
import { explainBytes, parseBytes } from "../base/index.ts";
import type { Events } from "./cache.ts";
import { COMPRESS_FROM_BYTES, JSON_SERIALIZER, type Serializer } from "./codec.ts";
import { type EvictionName, POLICIES } from "./eviction/policies.ts";
import {
  DEFAULT_TERMS,
  type Duration,
  durationMs,
  parseTerms,
  type Terms,
  type TermsInput,
} from "./terms.ts";

/** Settings of a cache; all have defaults. Those of `TermsInput` hold where a call says nothing else. */
export interface CacheSettings extends TermsInput {
  /** Label in metrics, and the namespace in a shared store. Default "cache". */
  readonly name?: string;
  /** Most entries in memory. Default 10,000; not together with `maxBytes`. */
  readonly max?: number;
  /** Most bytes in memory, such as "64MiB": `sizeOf`, or what a value takes as text. */
  readonly maxBytes?: string | number;
  readonly sizeOf?: (value: unknown, key: string) => number;
  /** Who leaves when memory is full. Default "s3-fifo". */
  readonly eviction?: EvictionName;
  /** With a shared store: longest time that memory is believed, which bounds staleness when the bus fails. Default "30s". */
  readonly l1MaxAge?: Duration;
  /** Longest wait for one answer of a cache server. Default "50ms". */
  readonly deadline?: Duration;
  readonly serializer?: Serializer;
  /** Payloads of at least so many bytes are compressed. Default 1 KiB; false never. */
  readonly compressFrom?: string | number | false;
  /** Event -> what it makes invalid. */
  readonly events?: Events;
}

/** The same, complete. */
export interface CompleteSettings {
  readonly name: string;
  readonly capacity: number;
  readonly sizeOf: ((value: unknown, key: string) => number) | undefined;
  readonly eviction: EvictionName;
  readonly l1MaxAgeMs: number;
  readonly deadlineMs: number;
  readonly serializer: Serializer;
  readonly compressFromBytes: number;
  readonly events: Events;
  readonly terms: Terms;
}

const ENTRIES = 10_000;
const L1_MAX_AGE_MS = 30_000;
const DEADLINE_MS = 50;

/** All that may be set; a name that is none of them was meant to be one. */
const SETTINGS: Readonly<Record<keyof CacheSettings | "store", true>> = {
  name: true,
  max: true,
  maxBytes: true,
  sizeOf: true,
  eviction: true,
  store: true,
  l1MaxAge: true,
  deadline: true,
  serializer: true,
  compressFrom: true,
  events: true,
  ttl: true,
  jitter: true,
  grace: true,
  softTimeout: true,
  hardTimeout: true,
  negativeTtl: true,
  beta: true,
  tags: true,
};

function checkNames(settings: object): void {
  const unknown = Object.keys(settings).find((name) => !Object.hasOwn(SETTINGS, name));
  if (unknown === undefined) return;
  throw new TypeError(`${unknown}: there is no such setting; there are ${Object.keys(SETTINGS).join(", ")}`);
}

/** Checks and completes settings. Throws a TypeError that says what is wrong and how to write it. */
export function completeSettings(settings: CacheSettings): CompleteSettings {
  checkNames(settings);
  const { name = "cache", max, maxBytes, sizeOf, eviction = "s3-fifo" } = settings;
  if (!/^[A-Za-z0-9_.-]{1,64}$/.test(name))
    throw new TypeError(`name: "${name}" is not 1 to 64 letters, digits or _.-`);
  if (!Object.hasOwn(POLICIES, eviction)) {
    throw new TypeError(`eviction: "${eviction}" is none: use ${Object.keys(POLICIES).join(", ")}`);
  }
  if (max !== undefined && maxBytes !== undefined)
    throw new TypeError("max and maxBytes: give one of the two");
  if (sizeOf !== undefined && maxBytes === undefined)
    throw new TypeError("sizeOf: counts only with maxBytes");
  const bytes = maxBytes === undefined ? undefined : bytesOf(maxBytes, "maxBytes");
  const capacity = bytes ?? max ?? ENTRIES;
  if (!(Number.isInteger(capacity) && capacity >= 1))
    throw new TypeError(`max: ${capacity} is not a whole number of at least 1`);
  const { compressFrom = COMPRESS_FROM_BYTES } = settings;
  return {
    name,
    capacity,
    sizeOf: bytes === undefined ? undefined : (sizeOf ?? sizeOfValue),
    eviction,
    l1MaxAgeMs: durationMs(settings.l1MaxAge, "l1MaxAge") ?? L1_MAX_AGE_MS,
    deadlineMs: durationMs(settings.deadline, "deadline") ?? DEADLINE_MS,
    serializer: settings.serializer ?? JSON_SERIALIZER,
    compressFromBytes:
      compressFrom === false ? Number.POSITIVE_INFINITY : bytesOf(compressFrom, "compressFrom"),
    events: settings.events ?? {},
    terms: parseTerms(settings, DEFAULT_TERMS),
  };
}

function bytesOf(value: string | number, name: string): number {
  const bytes = typeof value === "number" ? value : parseBytes(value);
  if (bytes === undefined) throw new TypeError(`${name}: ${explainBytes(String(value))}`);
  return bytes;
}

/** An entry's own fields, its place in the map and its key's header. */
const ENTRY_BYTES = 200;

/** About what a value takes: texts and bytes as they are, everything else as long as its JSON. */
export function sizeOfValue(value: unknown, key: string): number {
  const own = ENTRY_BYTES + key.length * 2;
  if (typeof value === "string") return own + value.length * 2;
  if (value instanceof Uint8Array) return own + value.byteLength;
  if (typeof value !== "object" || value === null) return own + 8;
  return own + (JSON.stringify(value)?.length ?? 0);
}
