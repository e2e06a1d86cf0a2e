/** Checkers of single properties: a bank's sum, a set's members, and what one session sees. */
import type { Anomaly, HistoryEntry } from "./history.ts";

/** Bank: money is moved and never made, so each read of all accounts has the same sum. Catches read skew and torn writes. */
export function checkBank(history: readonly HistoryEntry[], total: number): Anomaly[] {
  return history.flatMap(({ kind, operations }) =>
    operations.flatMap((one) => {
      if (kind !== "ok" || one.kind !== "balances") return [];
      const sum = Object.values(one.balances).reduce((added, balance) => added + balance, 0);
      if (sum === total) return [];
      return [{ anomaly: "wrong-total", detail: `${sum}, not ${total}: ${JSON.stringify(one.balances)}` }];
    }),
  );
}

/** Set: what was acknowledged is in the final read, once; what failed is not. `finally`: read when all clients had ended. */
export function checkSet(
  history: readonly HistoryEntry[],
  final: ReadonlyMap<string, readonly number[]>,
): Anomaly[] {
  const found: Anomaly[] = [];
  const members = new Map([...final].map(([key, values]) => [key, new Set(values)]));
  for (const { kind, operations } of history)
    for (const one of operations) {
      if (one.kind !== "append") continue;
      const isThere = members.get(one.key)?.has(one.value) === true;
      if (kind === "ok" && !isThere)
        found.push({ anomaly: "lost-write", detail: `${one.key}: ${one.value}` });
      if (kind === "failed" && isThere)
        found.push({ anomaly: "G1a", detail: `${one.key}: ${one.value} failed and is there` });
    }
  for (const [key, values] of final)
    if (new Set(values).size < values.length)
      found.push({ anomaly: "duplicate", detail: `${key}: [${values.join()}]` });
  return found;
}

/** Monotonic reads: what a client has read of a list, it reads again. */
export function checkMonotonicReads(history: readonly HistoryEntry[]): Anomaly[] {
  return bySession(history, (entry, seen) => {
    const found: Anomaly[] = [];
    for (const one of entry.operations) {
      if (one.kind !== "read") continue;
      const now = new Set(one.values);
      const missing = (seen.get(one.key) ?? []).filter((value) => !now.has(value));
      if (missing.length > 0)
        found.push({ anomaly: "non-monotonic-read", detail: `${one.key}: without ${missing.join()}` });
      seen.set(one.key, one.values);
    }
    return found;
  });
}

/** Read your writes: what a client was told is written, it reads. */
export function checkReadYourWrites(history: readonly HistoryEntry[]): Anomaly[] {
  return bySession(history, (entry, written) => {
    const found: Anomaly[] = [];
    for (const one of entry.operations) {
      if (one.kind === "append") written.set(one.key, [...(written.get(one.key) ?? []), one.value]);
      if (one.kind !== "read") continue;
      const now = new Set(one.values);
      const missing = (written.get(one.key) ?? []).filter((value) => !now.has(value));
      if (missing.length > 0)
        found.push({ anomaly: "own-write-missing", detail: `${one.key}: without ${missing.join()}` });
    }
    return found;
  });
}

/** Goes through what each client was told, in the order of its calls, with a memory by key. */
function bySession(
  history: readonly HistoryEntry[],
  check: (entry: HistoryEntry, memory: Map<string, readonly number[]>) => Anomaly[],
): Anomaly[] {
  const memories = new Map<number, Map<string, readonly number[]>>();
  return history
    .filter(({ kind }) => kind === "ok")
    .toSorted((a, b) => a.invokedMs - b.invokedMs)
    .flatMap((entry) => {
      const memory = memories.get(entry.process) ?? new Map<string, readonly number[]>();
      memories.set(entry.process, memory);
      return check(entry, memory);
    });
}
