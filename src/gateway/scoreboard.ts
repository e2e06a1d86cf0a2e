/**
 * The scoreboard: one block of shared memory in which every gateway worker publishes what it does.
 *
 * Each worker writes only its own column, so no lock and no atomic operation is needed, and a worker that is
 * killed takes nothing with it: its column is cleared when its place is taken again. Readers add up the columns:
 * that is how least-requests is right across workers, how the controller knows that a target has drained, and
 * where `/metrics` and `tenfold top` come from, all without a message to a busy worker.
 *
 *   header | health of each target | column of worker 0 | column of worker 1 | …
 *   column = fields | per target: in flight, ejected, counters | per group: in flight, counters, reasons, latencies
 *
 * Health is the one shared row: it is written by whichever worker leads the checks (see `leader`).
 */
import { HISTOGRAM_SIZE, record } from "../base/index.ts";
import { GROUP_SLOTS, SLOTS, WORKERS_MAX } from "../config/index.ts";

/** "TENF" + version of this layout: a file of another layout is refused, never misread. */
const MAGIC = 0x544e_4603;

/** Words (32 bit) and doubles of the header. */
const HEADER_BYTES = 4096;
const HEADER = { magic: 0, columns: 1, healthVersion: 2 } as const;

/** Health of a target as the leading worker sees it. */
export const HEALTH = { unknown: 0, healthy: 1, unhealthy: 2 } as const;
export type Health = (typeof HEALTH)[keyof typeof HEALTH];

/** 32-bit fields of a column. */
const WORD = { pid: 0, ackedRevision: 1, connections: 2, stopping: 3, leader: 4 } as const;
const WORDS = 16;

/** 64-bit fields of a column; all but the heartbeat only grow. */
export const WORKER_COUNTER = { heartbeatMs: 0, accepted: 1, shed: 2, accessLogDropped: 3 } as const;
const WORKER_COUNTERS = 8;

/** What is counted for each target. */
export const TARGET_COUNTER = { requests: 0, status5xx: 1, failures: 2, connects: 3, ejections: 4 } as const;
const TARGET_COUNTERS = 5;

/** What is counted for each group; the row GROUP_SLOTS holds the requests that reached no group. */
export const GROUP_COUNTER = {
  requests: 0,
  status1xx: 1,
  status2xx: 2,
  status3xx: 3,
  status4xx: 4,
  status5xx: 5,
  retries: 6,
  bytesIn: 7,
  bytesOut: 8,
  latencySumUs: 9,
  panicPicks: 10,
  retriesRefused: 11,
  fallbacks: 12,
  fallbacksRefused: 13,
} as const;
const GROUP_COUNTERS = 14;

/** The counter of a status class. */
export function countStatus(status: number): number {
  return status >= 500 ? GROUP_COUNTER.status5xx : GROUP_COUNTER.requests + Math.floor(status / 100);
}

/** Room for one counter per gateway error code (see errors.ts). */
export const REASONS_MAX = 64;

const GROUP_ROWS = GROUP_SLOTS + 1;
/** Row of the requests that no group served: refused, redirected, answered by a rule. */
export const NO_GROUP: number = GROUP_SLOTS;

const align = (bytes: number): number => Math.ceil(bytes / 64) * 64;

const HEALTH_BYTES = align(SLOTS * 4);
const COLUMN = layoutColumn();

function layoutColumn(): Readonly<Record<string, number>> & { readonly bytes: number } {
  const sizes = {
    words: WORDS * 4,
    workerCounters: WORKER_COUNTERS * 8,
    targetInFlight: SLOTS * 4,
    targetEjected: SLOTS * 4,
    groupInFlight: GROUP_ROWS * 4,
    groupFallbacks: GROUP_ROWS * 4,
    targetCounters: SLOTS * TARGET_COUNTERS * 8,
    groupCounters: GROUP_ROWS * GROUP_COUNTERS * 8,
    groupReasons: GROUP_ROWS * REASONS_MAX * 8,
    groupLatency: GROUP_ROWS * HISTOGRAM_SIZE * 4,
  };
  const offsets: Record<string, number> = {};
  let bytes = 0;
  for (const [name, size] of Object.entries(sizes)) {
    offsets[name] = bytes;
    bytes += align(size);
  }
  return { ...offsets, bytes };
}

/** Bytes of a scoreboard for `columns` workers. */
export function scoreboardBytes(columns: number): number {
  return HEADER_BYTES + HEALTH_BYTES + columns * COLUMN.bytes;
}

/** How many columns a gateway of `workers` workers gets: two generations, so that old and new can overlap. */
export function columnsFor(workers: number): number {
  return Math.min(WORKERS_MAX, Math.max(4, workers * 2));
}

/** Writes the header of a fresh, zeroed block. */
export function formatScoreboard(block: Uint8Array, columns: number): void {
  const header = new Int32Array(block.buffer, block.byteOffset, 16);
  header[HEADER.columns] = columns;
  header[HEADER.magic] = MAGIC;
}

/** One worker's column. The worker writes it; everybody may read it. */
export class Column {
  readonly words: Int32Array;
  readonly counters: Float64Array;
  readonly targetInFlight: Int32Array;
  readonly targetEjected: Int32Array;
  readonly groupInFlight: Int32Array;
  /** Requests of each group that another one has in its place. */
  readonly groupFallbacks: Int32Array;
  readonly targetCounters: Float64Array;
  readonly groupCounters: Float64Array;
  readonly groupReasons: Float64Array;
  readonly groupLatency: Uint32Array;

  constructor(block: Uint8Array, index: number) {
    const base = block.byteOffset + HEADER_BYTES + HEALTH_BYTES + index * COLUMN.bytes;
    const at = (name: string): number => base + (COLUMN[name] ?? 0);
    this.words = new Int32Array(block.buffer, at("words"), WORDS);
    this.counters = new Float64Array(block.buffer, at("workerCounters"), WORKER_COUNTERS);
    this.targetInFlight = new Int32Array(block.buffer, at("targetInFlight"), SLOTS);
    this.targetEjected = new Int32Array(block.buffer, at("targetEjected"), SLOTS);
    this.groupFallbacks = new Int32Array(block.buffer, at("groupFallbacks"), GROUP_ROWS);
    this.groupInFlight = new Int32Array(block.buffer, at("groupInFlight"), GROUP_ROWS);
    this.targetCounters = new Float64Array(block.buffer, at("targetCounters"), SLOTS * TARGET_COUNTERS);
    this.groupCounters = new Float64Array(block.buffer, at("groupCounters"), GROUP_ROWS * GROUP_COUNTERS);
    this.groupReasons = new Float64Array(block.buffer, at("groupReasons"), GROUP_ROWS * REASONS_MAX);
    this.groupLatency = new Uint32Array(block.buffer, at("groupLatency"), GROUP_ROWS * HISTOGRAM_SIZE);
  }

  get pid(): number {
    return this.words[WORD.pid] ?? 0;
  }
  get ackedRevision(): number {
    return this.words[WORD.ackedRevision] ?? 0;
  }
  get connections(): number {
    return this.words[WORD.connections] ?? 0;
  }
  get stopping(): boolean {
    return this.words[WORD.stopping] === 1;
  }
  /** Wall clock of the last sign of life, ms since the epoch. */
  get heartbeatMs(): number {
    return this.counters[WORKER_COUNTER.heartbeatMs] ?? 0;
  }

  /** Takes the column for process `pid`: what the process before it had in flight died with it; counters go on. */
  claim(pid: number, wallMs: number): void {
    this.targetInFlight.fill(0);
    this.targetEjected.fill(0);
    this.groupInFlight.fill(0);
    this.groupFallbacks.fill(0);
    this.words.fill(0);
    this.words[WORD.pid] = pid;
    this.beat(wallMs);
  }
  beat(wallMs: number): void {
    this.counters[WORKER_COUNTER.heartbeatMs] = wallMs;
  }
  acknowledge(revision: number): void {
    this.words[WORD.ackedRevision] = revision;
  }
  setConnections(count: number): void {
    this.words[WORD.connections] = count;
  }
  setStopping(): void {
    this.words[WORD.stopping] = 1;
  }
  /** Gives the column back after a clean stop. */
  release(): void {
    this.targetInFlight.fill(0);
    this.targetEjected.fill(0);
    this.groupInFlight.fill(0);
    this.groupFallbacks.fill(0);
    this.words.fill(0);
    this.counters[WORKER_COUNTER.heartbeatMs] = 0;
  }

  count(counter: number, by = 1): void {
    this.counters[counter] = (this.counters[counter] ?? 0) + by;
  }
  countTarget(slot: number, counter: number): void {
    const cell = slot * TARGET_COUNTERS + counter;
    this.targetCounters[cell] = (this.targetCounters[cell] ?? 0) + 1;
  }
  /** Forgets what was counted for the target in a row, but for what is in flight: another target gets the row. */
  clearTarget(slot: number): void {
    this.targetEjected[slot] = 0;
    this.targetCounters.fill(0, slot * TARGET_COUNTERS, (slot + 1) * TARGET_COUNTERS);
  }
  countGroup(row: number, counter: number, by: number): void {
    const cell = row * GROUP_COUNTERS + counter;
    this.groupCounters[cell] = (this.groupCounters[cell] ?? 0) + by;
  }
  countReason(row: number, reason: number): void {
    const cell = row * REASONS_MAX + reason;
    this.groupReasons[cell] = (this.groupReasons[cell] ?? 0) + 1;
  }
  /** Adds one latency to a group's histogram. */
  observeLatency(row: number, latencyMs: number): void {
    const latencyUs = latencyMs * 1000;
    record(this.groupLatency, row * HISTOGRAM_SIZE, latencyUs);
    this.countGroup(row, GROUP_COUNTER.latencySumUs, latencyUs);
  }
  /** A request began (`by` = 1) or ended (-1) at target `slot` of group `row`. */
  moveInFlight(slot: number, row: number, by: 1 | -1): void {
    this.targetInFlight[slot] = (this.targetInFlight[slot] ?? 0) + by;
    this.groupInFlight[row] = (this.groupInFlight[row] ?? 0) + by;
  }
  /** A request of group `row` went to its fallback (`by` = 1), or has ended there (-1). */
  moveFallback(row: number, by: 1 | -1): void {
    this.groupFallbacks[row] = (this.groupFallbacks[row] ?? 0) + by;
  }
}

/** The whole block, read across columns. */
export class Scoreboard {
  readonly columns: readonly Column[];
  readonly #header: Int32Array;
  readonly #health: Int32Array;

  /** Throws when `block` is not a scoreboard of this layout. */
  constructor(block: Uint8Array) {
    this.#header = new Int32Array(block.buffer, block.byteOffset, 16);
    if (this.#header[HEADER.magic] !== MAGIC) throw new Error("scoreboard: not a scoreboard of this version");
    const count = this.#header[HEADER.columns] ?? 0;
    if (block.byteLength < scoreboardBytes(count)) throw new Error("scoreboard: the file is cut short");
    this.#health = new Int32Array(block.buffer, block.byteOffset + HEADER_BYTES, SLOTS);
    this.columns = Array.from({ length: count }, (_, index) => new Column(block, index));
  }

  /** Grows with each change of health, so that a worker notices one with a single read. */
  get healthVersion(): number {
    return this.#header[HEADER.healthVersion] ?? 0;
  }

  health(slot: number): Health {
    return (this.#health[slot] ?? HEALTH.unknown) as Health;
  }

  setHealth(slot: number, health: Health): void {
    if (this.#health[slot] === health) return;
    this.#health[slot] = health;
    this.#header[HEADER.healthVersion] = (this.healthVersion + 1) | 0;
  }

  /** Requests in flight at one target, over all workers. */
  inFlight(slot: number): number {
    const columns = this.columns;
    let sum = 0;
    for (let i = 0; i < columns.length; i++) sum += columns[i]?.targetInFlight[slot] ?? 0;
    return sum;
  }

  groupInFlight(row: number): number {
    return this.#sum((column) => column.groupInFlight[row] ?? 0);
  }
  /** Requests of one group that its fallback has in flight, over all workers. */
  groupFallbacks(row: number): number {
    return this.#sum((column) => column.groupFallbacks[row] ?? 0);
  }
  ejectedBy(slot: number): number {
    return this.#sum((column) => column.targetEjected[slot] ?? 0);
  }
  workerCounter(counter: number): number {
    return this.#sum((column) => column.counters[counter] ?? 0);
  }
  targetCounter(slot: number, counter: number): number {
    return this.#sum((column) => column.targetCounters[slot * TARGET_COUNTERS + counter] ?? 0);
  }
  groupCounter(row: number, counter: number): number {
    return this.#sum((column) => column.groupCounters[row * GROUP_COUNTERS + counter] ?? 0);
  }
  groupReason(row: number, reason: number): number {
    return this.#sum((column) => column.groupReasons[row * REASONS_MAX + reason] ?? 0);
  }

  /** The cells of a group's latency histogram, one array per worker. */
  groupLatency(row: number): Uint32Array[] {
    const from = row * HISTOGRAM_SIZE;
    return this.columns.map((column) => column.groupLatency.subarray(from, from + HISTOGRAM_SIZE));
  }

  /** The columns of workers that showed life within `withinMs`. */
  live(wallMs: number, withinMs: number): Column[] {
    return this.columns.filter((column) => column.pid !== 0 && wallMs - column.heartbeatMs <= withinMs);
  }

  /** Forgets what a former target left in its slot. Only for slots that no target holds. */
  clearSlot(slot: number): void {
    this.setHealth(slot, HEALTH.unknown);
  }

  #sum(read: (column: Column) => number): number {
    let sum = 0;
    for (const column of this.columns) sum += read(column);
    return sum;
  }
}
