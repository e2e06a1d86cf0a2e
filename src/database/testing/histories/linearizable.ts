/**
 * Linearizability: each operation takes effect at one moment between its call and its answer.
 *
 * For lists the order is known from reads, so one sweep over time does. For registers it has to be searched, as Wing and Gong
 * did ("Testing and Verifying Concurrent Objects", 1993), with the memory of Lowe ("Testing for Linearizability", 2017).
 */
import type { Anomaly, HistoryEntry } from "./history.ts";

/** An operation on one key. */
interface Step {
  readonly invokedMs: number;
  /** Infinity: it may take effect at any later time, or never. */
  readonly completedMs: number;
  readonly describe: string;
}

/** Lists: one append or read in each transaction. O(n log n) but for comparing lists. */
export function checkLinearizableAppends(history: readonly HistoryEntry[]): Anomaly[] {
  const keys = new Set(
    history.flatMap(({ operations }) =>
      operations.flatMap((one) => (one.kind === "append" || one.kind === "read" ? [one.key] : [])),
    ),
  );
  return [...keys].flatMap((key) => sweep(key, listSteps(history, key)));
}

/** Where in the order of appends an operation stands: an append at its own place, a read after the last that it saw. */
interface ListStep extends Step {
  readonly place: number;
  readonly isAppend: boolean;
}

function listSteps(history: readonly HistoryEntry[], key: string): ListStep[] {
  let order: readonly number[] = [];
  for (const { kind, operations } of history)
    for (const one of operations)
      if (kind === "ok" && one.kind === "read" && one.key === key && one.values.length > order.length)
        order = one.values;
  const places = new Map(order.map((value, index) => [value, index + 1]));
  return history.flatMap(({ kind, operations, invokedMs, completedMs }) =>
    operations.flatMap((one): ListStep[] => {
      if (kind === "failed" || !("key" in one) || one.key !== key) return [];
      if (one.kind === "read" && kind === "ok")
        return [
          {
            invokedMs,
            completedMs,
            place: one.values.length,
            isAppend: false,
            describe: `read ${one.values.length}`,
          },
        ];
      if (one.kind !== "append") return [];
      const place = places.get(one.value);
      const describe = `append ${one.value}`;
      if (kind === "ok")
        return [{ invokedMs, completedMs, place: place ?? Infinity, isAppend: true, describe }];
      return place === undefined
        ? []
        : [{ invokedMs, completedMs: Infinity, place, isAppend: true, describe }];
    }),
  );
}

/** Nothing may stand before what was over when it began. */
function sweep(key: string, steps: readonly ListStep[]): Anomaly[] {
  const ended = steps.toSorted((a, b) => a.completedMs - b.completedMs);
  const found: Anomaly[] = [];
  let next = 0;
  let furthest: ListStep | undefined;
  for (const step of steps.toSorted((a, b) => a.invokedMs - b.invokedMs)) {
    for (
      let over = ended[next];
      over !== undefined && over.completedMs < step.invokedMs;
      over = ended[++next]
    )
      if (over.place >= (furthest?.place ?? 0)) furthest = over;
    if (furthest === undefined) continue;
    const isWrong = step.isAppend
      ? step.place <= furthest.place && step.place !== Infinity
      : step.place < furthest.place;
    if (isWrong)
      found.push({ anomaly: "stale-read", detail: `${key}: ${step.describe} after ${furthest.describe}` });
  }
  return found;
}

/** A register's operation. */
interface RegisterStep extends Step {
  readonly kind: "write" | "get";
  readonly value: number | undefined;
}

/** Histories of registers that take more states than this to search are given up: split them by key, or make them shorter. */
const STATES_MAX = 2_000_000;

/** Registers: one write or get in each transaction. Exponential at worst; short histories or few clients. */
export function checkRegisters(history: readonly HistoryEntry[]): Anomaly[] {
  const byKey = new Map<string, RegisterStep[]>();
  for (const { kind, operations, invokedMs, completedMs } of history)
    for (const one of operations) {
      if ((one.kind !== "write" && one.kind !== "get") || kind === "failed") continue;
      if (one.kind === "get" && kind === "unknown") continue;
      const step = { ...one, invokedMs, completedMs: kind === "ok" ? completedMs : Infinity };
      const describe = `${one.kind} ${one.value}`;
      byKey.set(one.key, [...(byKey.get(one.key) ?? []), { ...step, describe }]);
    }
  return [...byKey].flatMap(([key, steps]) =>
    isLinearizable(steps)
      ? []
      : [
          {
            anomaly: "not-linearizable",
            detail: `${key}: ${steps.map(({ describe }) => describe).join(", ")}`,
          },
        ],
  );
}

/** Whether there is an order. Depth first over (what is done, the value), each pair looked at once. */
function isLinearizable(unsorted: readonly RegisterStep[]): boolean {
  const steps = unsorted.toSorted((a, b) => a.invokedMs - b.invokedMs);
  const all = steps.reduce(
    (bits, step, index) => (step.completedMs < Infinity ? bits | (1n << BigInt(index)) : bits),
    0n,
  );
  const seen = new Set<string>();
  const open: { readonly done: bigint; readonly value: number | undefined }[] = [
    { done: 0n, value: undefined },
  ];
  for (let state = open.pop(); state !== undefined; state = open.pop()) {
    const { done, value } = state;
    if ((done & all) === all) return true;
    const id = `${done.toString(36)} ${value}`;
    if (seen.has(id)) continue;
    seen.add(id);
    if (seen.size > STATES_MAX)
      throw new Error(`a history of ${steps.length} operations is too long to be searched`);
    for (const [index, step] of candidates(steps, done)) {
      if (step.kind === "get" && step.value !== value) continue;
      open.push({ done: done | (1n << BigInt(index)), value: step.kind === "write" ? step.value : value });
    }
  }
  return false;
}

/** Operations that may come next: nobody that is still to be done was over before they began. */
function candidates(steps: readonly RegisterStep[], done: bigint): [number, RegisterStep][] {
  const found: [number, RegisterStep][] = [];
  let firstEndMs = Infinity;
  for (const [index, step] of steps.entries()) {
    if ((done >> BigInt(index)) & 1n) continue;
    if (step.invokedMs > firstEndMs) break;
    found.push([index, step]);
    firstEndMs = Math.min(firstEndMs, step.completedMs);
  }
  return found.filter(([, step]) => step.invokedMs <= firstEndMs);
}
