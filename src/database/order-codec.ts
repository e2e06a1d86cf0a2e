/** Orders as JSON from outside: read with care, for whoever may send one may send anything. */
import type { Order, ServerSource } from "./orders.ts";
import type { Upstream } from "./server-settings.ts";

type Fields = Readonly<Record<string, unknown>>;

/** Longest name of a server or a label: a slot's name has 63 characters. */
const NAME_CHARS_MAX = 48;

const NAME = /^[a-z0-9][a-z0-9_-]*$/;

/** Longest right that one order can give: a day; more is a unit mixed up. */
const LEASE_MS_MAX = 86_400_000;

/** Kind -> how its fields are read; undefined = they are not right. */
const READERS: {
  readonly [Kind in Order["kind"]]: (fields: Fields) => Extract<Order, { kind: Kind }> | undefined;
} = {
  start: () => ({ kind: "start" }),
  restart: () => ({ kind: "restart" }),
  stop: ({ mode }) => (mode === "fast" || mode === "immediate" ? { kind: "stop", mode } : undefined),
  freeze: () => ({ kind: "freeze" }),
  promote: ({ term, timeline }) => {
    if (!isCount(term)) return undefined;
    if (timeline === undefined) return { kind: "promote", term };
    return isCount(timeline) ? { kind: "promote", term, timeline } : undefined;
  },
  follow: (fields) => withUpstream(fields, (read) => ({ kind: "follow", ...read })),
  demote: (fields) => withUpstream(fields, (read) => ({ kind: "demote", ...read })),
  rejoin: (fields) => withSource(fields, (read) => ({ kind: "rejoin", ...read })),
  rewind: (fields) => withSource(fields, (read) => ({ kind: "rewind", ...read })),
  reclone: (fields) => withSource(fields, (read) => ({ kind: "reclone", ...read })),
  detach: () => ({ kind: "detach" }),
  checkpoint: () => ({ kind: "checkpoint" }),
  drain({ data, timeline }) {
    if (!isPath(data)) return undefined;
    if (timeline === undefined) return { kind: "drain", data };
    return isCount(timeline) ? { kind: "drain", data, timeline } : undefined;
  },
  quorum: ({ count, names }) =>
    isCount(count) && isNames(names) ? { kind: "quorum", count, names } : undefined,
  slots: ({ servers }) => (isNames(servers) ? { kind: "slots", servers } : undefined),
  lease: ({ term, validMs }) =>
    isCount(term) && isCount(validMs) && validMs <= LEASE_MS_MAX
      ? { kind: "lease", term, validMs }
      : undefined,
  backup({ label, keep }) {
    if (!isName(label)) return undefined;
    if (keep === undefined) return { kind: "backup", label };
    return isCount(keep) && keep > 0 ? { kind: "backup", label, keep } : undefined;
  },
};

/** Reads one order; undefined when it is none. */
export function parseOrder(value: unknown): Order | undefined {
  if (!isObject(value)) return undefined;
  const { kind } = value;
  return typeof kind === "string" && Object.hasOwn(READERS, kind)
    ? READERS[kind as Order["kind"]](value)
    : undefined;
}

function withUpstream<T>(
  fields: Fields,
  make: (read: { readonly term: number; readonly upstream: Upstream }) => T,
): T | undefined {
  const { upstream, term } = fields;
  if (!isObject(upstream) || !isCount(term)) return undefined;
  const { host, port, slot } = upstream;
  if (!isHost(host) || !isPort(port)) return undefined;
  return slot === undefined || slot === null || isName(slot)
    ? make({ term, upstream: { host, port, slot: slot ?? undefined } })
    : undefined;
}

function withSource<T>(
  fields: Fields,
  make: (read: { readonly term: number; readonly source: ServerSource }) => T,
): T | undefined {
  const { source, term } = fields;
  if (!isObject(source) || !isCount(term)) return undefined;
  const { name, host, port, data } = source;
  if (!isName(name) || !isHost(host) || !isPort(port)) return undefined;
  if (data === undefined) return make({ term, source: { name, host, port } });
  return isPath(data) ? make({ term, source: { name, host, port, data } }) : undefined;
}

function isObject(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isCount(value: unknown): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0;
}

function isPort(value: unknown): value is number {
  return isCount(value) && value > 0 && value < 65_536;
}

/** Whether it may be a server's name or a backup's label. */
export function isName(value: unknown): value is string {
  return typeof value === "string" && value.length <= NAME_CHARS_MAX && NAME.test(value);
}

function isNames(value: unknown): value is string[] {
  return Array.isArray(value) && value.every(isName);
}

function isHost(value: unknown): value is string {
  return typeof value === "string" && /^[a-zA-Z0-9.:_-]{1,253}$/.test(value);
}

function isPath(value: unknown): value is string {
  return typeof value === "string" && value.startsWith("/") && !value.includes("\0") && !value.includes("\n");
}
