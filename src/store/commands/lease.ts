/**
 * Leases, for caches that share this store: LEASE and INVALIDATE, what `tenfold/cache` runs as scripts on Redis
 * (src/cache/io/lease-scripts.ts has the model: a load's token is void when its key, a tag or a prefix was invalidated since).
 *
 *   LEASE what entry lease versions epoch args…        INVALIDATE what entry lease versions epoch args…
 *
 * Entries and leases are strings of the keyspace, which may be evicted. Versions are kept beside it and not written down:
 * after a restart they begin a new epoch, so that every entry from before is invalid; so nothing of this is logged either.
 */
import { Generations } from "../../cache/index.ts";
import { bytesOf, latin1 } from "../../resp/index.ts";
import type { Call } from "../call.ts";
import { type CommandTable, type KeyPlaces, rowOfMany, type Subcommands } from "../command.ts";
import { TYPE } from "../keyspace.ts";
import type { Store } from "../store.ts";

const KEYS: KeyPlaces = [2, 4, 1];
const ENTRY = 2;
const LEASE = 3;
const VERSIONS = 4;
const EPOCH = 5;

/** Caches with versions of their own in one store; beyond, all begin anew. */
const CACHES_MAX = 1000;

interface Versions {
  readonly epoch: string;
  readonly generations: Generations;
}

interface Held {
  readonly kind: string;
  readonly token: string;
  readonly since: number;
  readonly epoch: string;
}

interface Entry {
  readonly since: number;
  readonly epoch: string;
  readonly graceMs: number;
  readonly load: string;
  readonly tags: string;
  readonly isSoft: boolean;
  readonly payload: Uint8Array;
  readonly leftMs: number;
}

const known = new WeakMap<Store, Map<string, Versions>>();

function versionsOf(call: Call): Versions {
  const all = known.get(call.store) ?? new Map<string, Versions>();
  known.set(call.store, all);
  const name = `${call.space.index} ${call.text(VERSIONS)}`;
  const found = all.get(name);
  if (found !== undefined) return found;
  if (all.size >= CACHES_MAX) all.clear();
  const made = { epoch: call.text(EPOCH), generations: new Generations() };
  all.set(name, made);
  return made;
}

// --- strings in the keyspace ------------------------------------------------------------------------------------

/** A copy of the string at a key; undefined when there is none, or it is no string. */
function read(call: Call, place: number): { bytes: Uint8Array; leftMs: number } | undefined {
  const { space } = call;
  const ref = call.find(place);
  if (ref === 0 || space.typeOf(ref) !== TYPE.string) return undefined;
  const { dict } = space;
  const bytes = dict.bytes.slice(dict.valueStart, dict.valueEnd);
  return { bytes, leftMs: Math.max(0, dict.expiry(ref) - space.ground.nowMs) };
}

function write(call: Call, place: number, value: Uint8Array, lifeMs: number): void {
  const { space, bytes } = call;
  const key = [call.start(place), call.end(place)] as const;
  const ref = space.setString(bytes, key, value, [0, value.length], false);
  space.setExpiry(ref, space.ground.nowMs + Math.max(1, lifeMs));
  call.changed(place);
}

function remove(call: Call, place: number): void {
  const ref = call.find(place);
  if (ref === 0) return;
  call.space.remove(ref);
  call.changed(place);
}

// --- entries and leases -----------------------------------------------------------------------------------------

const NEWLINE = 10;

function entryBytes(entry: Omit<Entry, "leftMs">): Uint8Array {
  const { since, epoch, graceMs, load, tags, isSoft, payload } = entry;
  const head = bytesOf(`${JSON.stringify([since, epoch, graceMs, load, tags, isSoft])}\n`);
  const bytes = new Uint8Array(head.length + payload.length);
  bytes.set(head);
  bytes.set(payload, head.length);
  return bytes;
}

/** The entry, if it is valid; one that is not goes. */
function find(call: Call, versions: Versions): Entry | undefined {
  const found = read(call, ENTRY);
  if (found === undefined) return undefined;
  const { bytes, leftMs } = found;
  const end = bytes.indexOf(NEWLINE);
  const head = parseHead(latin1(bytes, 0, Math.max(0, end)));
  if (head === undefined || !isCurrent(versions, call.text(6), head)) {
    remove(call, ENTRY);
    return undefined;
  }
  return { ...head, leftMs, payload: bytes.subarray(end + 1) };
}

function parseHead(text: string): Omit<Entry, "leftMs" | "payload"> | undefined {
  try {
    const [since, epoch, graceMs, load, tags, isSoft] = JSON.parse(text) as [
      number,
      string,
      number,
      string,
      string,
      boolean,
    ];
    return { since, epoch, graceMs, load, tags, isSoft };
  } catch {
    return undefined; // somebody else's string
  }
}

function isCurrent(
  versions: Versions,
  key: string,
  { since, epoch, tags }: Omit<Held, "kind" | "token"> & { tags: string },
): boolean {
  const list = tags === "" ? [] : tags.split("\0");
  return epoch === versions.epoch && versions.generations.isCurrent(key, list, since);
}

function leaseOf(call: Call): Held | undefined {
  const found = read(call, LEASE);
  if (found === undefined) return undefined;
  const [kind = "", token = "", since = "", epoch = ""] = latin1(found.bytes, 0, found.bytes.length).split(
    " ",
  );
  return { kind, token, since: Number(since), epoch };
}

function takeLease(call: Call, versions: Versions, kind: string, token: string, leaseMs: number): void {
  write(call, LEASE, bytesOf(`${kind} ${token} ${versions.generations.now} ${versions.epoch}`), leaseMs);
}

/** Stores what is at `place`: payload, time to live, grace, load time, tags. */
function store(call: Call, place: number, since: number, epoch: string): void {
  const [ttlMs, graceMs] = [call.integerOrNaN(place + 1), call.integerOrNaN(place + 2)];
  const [load, tags, payload] = [call.text(place + 3), call.text(place + 4), call.copy(place)];
  write(
    call,
    ENTRY,
    entryBytes({ since, epoch, graceMs, load, tags, isSoft: false, payload }),
    ttlMs + graceMs,
  );
}

function fillFrom(call: Call, token: string, place: number): boolean {
  const versions = versionsOf(call);
  const held = leaseOf(call);
  if (held === undefined || held.kind === "C" || held.token !== token) return false;
  remove(call, LEASE);
  if (!isCurrent(versions, call.text(6), { ...held, tags: call.text(place + 4) })) return false;
  store(call, place, held.since, held.epoch);
  return true;
}

function tell(call: Call, place: number): void {
  const [channel, payload] = [call.text(place), call.copy(place + 1)];
  const { pushes, channels } = call.store;
  channels.publish(channel, (session, pattern) => {
    if (pattern === undefined) pushes.message(session, "message", channel, payload);
    else pushes.patternMessage(session, pattern, channel, payload);
  });
}

// --- commands ---------------------------------------------------------------------------------------------------

function replyEntry(call: Call, kind: string, entry: Entry | undefined): void {
  const { out } = call;
  if (entry === undefined) {
    out.array(kind === "" ? 0 : 1);
    if (kind !== "") out.bulkText(kind);
    return;
  }
  out.array(6);
  out.bulkText(kind === "" ? "hit" : kind);
  out.integer(freshMs(entry));
  out.integer(Math.round(entry.leftMs));
  out.bulkText(entry.load);
  const tags = bytesOf(entry.tags);
  out.bulk(tags, 0, tags.length);
  out.bulk(entry.payload, 0, entry.payload.length);
}

function freshMs({ leftMs, graceMs, isSoft }: Entry): number {
  const fresh = Math.round(leftMs - graceMs);
  return isSoft ? Math.min(0, fresh) : fresh;
}

/** key, token, lease ms, "1" to refresh */
function lookup(call: Call): void {
  const versions = versionsOf(call);
  const entry = find(call, versions);
  if (entry !== undefined && freshMs(entry) > 0 && call.text(9) !== "1")
    return replyEntry(call, "hit", entry);
  if (leaseOf(call) !== undefined) return replyEntry(call, "wait", entry);
  takeLease(call, versions, "L", call.text(7), call.integerOrNaN(8));
  replyEntry(call, "won", entry);
}

/** token, lease ms */
function beginWrite(call: Call): void {
  const held = leaseOf(call);
  const isContended = held !== undefined && held.kind !== "L";
  takeLease(
    call,
    versionsOf(call),
    isContended ? "C" : "W",
    isContended ? "-" : call.text(6),
    call.integerOrNaN(7),
  );
  call.out.integer(1);
}

/** key, channel, message, token, payload, ttl, grace, load, tags */
function endWrite(call: Call): void {
  const isFilled = fillFrom(call, call.text(9), 10);
  if (!isFilled) {
    remove(call, ENTRY);
    remove(call, LEASE);
  }
  tell(call, 7);
  call.out.integer(isFilled ? 1 : 0);
}

/** channel, message, payload, ttl, grace, load, tags */
function put(call: Call): void {
  const versions = versionsOf(call);
  remove(call, LEASE);
  store(call, 8, versions.generations.now, versions.epoch);
  tell(call, 6);
  call.out.integer(1);
}

/** token, lease ms */
function renew(call: Call): void {
  const found = leaseOf(call)?.token === call.text(6) ? read(call, LEASE) : undefined;
  if (found !== undefined) write(call, LEASE, found.bytes, call.integerOrNaN(7));
  call.out.integer(1);
}

function release(call: Call): void {
  if (leaseOf(call)?.token === call.text(6)) remove(call, LEASE);
  call.out.integer(1);
}

/** channel, message, "1" when soft */
function invalidateKey(call: Call): void {
  remove(call, LEASE);
  const found = call.text(8) === "1" ? read(call, ENTRY) : undefined;
  const end = found?.bytes.indexOf(NEWLINE) ?? -1;
  const head = found === undefined ? undefined : parseHead(latin1(found.bytes, 0, Math.max(0, end)));
  if (found === undefined || head === undefined) remove(call, ENTRY);
  else
    write(
      call,
      ENTRY,
      entryBytes({ ...head, isSoft: true, payload: found.bytes.subarray(end + 1) }),
      found.leftMs,
    );
  told(call);
}

function told(call: Call): void {
  tell(call, 6);
  call.out.integer(1);
}

/** Nothing of it goes into the log. */
function unlogged(run: (call: Call) => void): (call: Call) => void {
  return (call) => {
    call.logNothing();
    run(call);
  };
}

const LEASES: Subcommands = {
  LOOKUP: [10, unlogged(lookup)],
  PEEK: [7, unlogged((call) => replyEntry(call, "", find(call, versionsOf(call))))],
  FILL: [13, unlogged((call) => call.out.integer(fillFrom(call, call.text(7), 8) ? 1 : 0))],
  RENEW: [8, unlogged(renew)],
  RELEASE: [7, unlogged(release)],
  PUT: [13, unlogged(put)],
  BEGINWRITE: [8, unlogged(beginWrite)],
  ENDWRITE: [15, unlogged(endWrite)],
};

const INVALIDATIONS: Subcommands = {
  INVALIDATEKEY: [9, unlogged(invalidateKey)],
  INVALIDATETAG: [
    10,
    unlogged((call) => {
      versionsOf(call).generations.invalidateTag(call.text(8));
      told(call);
    }),
  ],
  INVALIDATEPREFIX: [
    10,
    unlogged((call) => {
      versionsOf(call).generations.invalidatePrefix(call.text(8));
      told(call);
    }),
  ],
  INVALIDATEALL: [
    8,
    unlogged((call) => {
      versionsOf(call).generations.invalidateAll();
      told(call);
    }),
  ],
};

/** What may be refused for want of memory, and what may not. */
export const LEASE_COMMANDS: CommandTable = {
  lease: rowOfMany(-7, "write denyoom fast", KEYS, "keyspace", LEASES),
  invalidate: rowOfMany(-8, "write fast", KEYS, "keyspace", INVALIDATIONS),
};
