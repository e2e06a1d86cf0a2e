/** Builders for tests of the store: blocks in ordinary memory, and objects made from a few words. */
import { murmur3String } from "../../base/index.ts";
import type { Refusal } from "./counters.ts";
import type { Entry } from "./entry.ts";
import { formatStore, type StoreOptions, sizesFor } from "./layout.ts";
import type { Reservation, ReserveRequest } from "./reservation.ts";
import { Store } from "./store.ts";

/** Processes of tests are alive unless they are said to be dead. */
export const DEAD_PID = 999_999;

/** One block and a store for each of its workers. Worker 0 has pid 1, worker 1 pid 2 and so on. */
export function memoryStores(options: Partial<StoreOptions> = {}): { block: Uint8Array; stores: Store[] } {
  const { bytes = 1 << 20, workers = 2, objectShare = 0.1 } = options;
  const block = new Uint8Array(bytes);
  formatStore(block, sizesFor({ bytes, workers, objectShare }), 7);
  const stores = Array.from({ length: workers }, (_, worker) => openAs(block, worker, worker + 1));
  return { block, stores };
}

/** The store of a block as worker `worker` sees it. */
export function openAs(block: Uint8Array, worker: number, pid: number): Store {
  return new Store(block, { worker, pid, isAlive: (process) => process !== DEAD_PID });
}

/** A store that has its block to itself. */
export function memoryStore(options: Partial<StoreOptions> = {}): Store {
  const [store] = memoryStores({ workers: 1, ...options }).stores;
  if (store === undefined) throw new Error("no store");
  return store;
}

/** What a test says of an object; the rest is filled in. */
export interface TestObject {
  readonly body?: string;
  readonly bodyBytes?: number;
  readonly vary?: string;
  readonly tags?: readonly string[];
  readonly startSequence?: number;
  readonly nowS?: number;
  readonly usableUntilS?: number;
}

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** The hash that tests name URLs and tags by. */
export function nameHash(name: string): number {
  return murmur3String(name, 0);
}

/** A request for room for an object of URL `url`, whose path ends at "?". */
export function requestFor(store: Store, url: string, object: TestObject = {}): ReserveRequest {
  const key = encoder.encode(url);
  const query = url.indexOf("?");
  return {
    hashHi: store.hashHigh(key, 0, key.length),
    hashLo: store.hashLow(key, 0, key.length),
    urlHash: nameHash(url),
    key,
    urlStart: 0,
    pathEnd: query < 0 ? key.length : query,
    vary: encoder.encode(object.vary ?? ""),
    tags: (object.tags ?? []).map(nameHash),
    headBytes: 4,
    bodyBytes: object.bodyBytes ?? encoder.encode(object.body ?? url).length,
    startSequence: object.startSequence ?? store.purgeSequence,
    nowS: object.nowS ?? 1000,
    usableUntilS: object.usableUntilS ?? 0,
  };
}

/** Room for an object with its bytes filled in, or why there is none. */
function tryReserve(store: Store, url: string, object: TestObject = {}): Reservation | Refusal {
  const reservation = store.reserve(requestFor(store, url, object));
  if (typeof reservation === "string") return reservation;
  const text = encoder.encode(object.body ?? (object.bodyBytes === undefined ? url : ""));
  reservation.bytes.set(encoder.encode("head"), reservation.headOffset);
  reservation.bytes.set(text, reservation.bodyOffset);
  return reservation;
}

/** As `tryReserve`; a refusal is an error. */
export function reserve(store: Store, url: string, object: TestObject = {}): Reservation {
  const reservation = tryReserve(store, url, object);
  if (typeof reservation === "string") throw new Error(`refused: ${reservation}`);
  return reservation;
}

/** Stores an object whose body is its URL unless said otherwise. Why not, if so. */
export function put(store: Store, url: string, object: TestObject = {}): Refusal | undefined {
  const reservation = tryReserve(store, url, object);
  return typeof reservation === "string" ? reservation : reservation.commit();
}

/** The first object stored for a URL. */
export function find(store: Store, url: string): Entry | undefined {
  const key = encoder.encode(url);
  return store.find(
    store.hashHigh(key, 0, key.length),
    store.hashLow(key, 0, key.length),
    key,
    0,
    key.length,
  );
}

/** The bodies of all variants of a URL. */
export function bodies(store: Store, url: string): string[] {
  const found: string[] = [];
  for (let entry = find(store, url); entry !== undefined; entry = store.next()) found.push(bodyOf(entry));
  return found;
}

/** The body of the first object stored for a URL. */
export function body(store: Store, url: string): string | undefined {
  const entry = find(store, url);
  const text = entry === undefined ? undefined : bodyOf(entry);
  store.release();
  return text;
}

/** The body of an entry as text. */
export function bodyOf(entry: Entry): string {
  return decoder.decode(entry.bytes.slice(entry.bodyOffset, entry.bodyOffset + entry.bodyBytes));
}

/** Asks for a URL `times` times, as `times` hits. */
export function use(store: Store, url: string, times: number): void {
  for (let hit = 0; hit < times; hit++) find(store, url)?.touch();
  store.release();
}
