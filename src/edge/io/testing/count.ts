/** A process that adds to counters in a mapped file: by compare-and-exchange, and plainly under a lock of one word. */

/** Words of the file, each in a cache line of its own. */
export const CELL = { ready: 0, exchanged: 16, lock: 32, locked: 48 } as const;

function count(words: Int32Array, rounds: number): void {
  // Both processes start together.
  Atomics.add(words, CELL.ready, 1);
  while (Atomics.load(words, CELL.ready) < 2);
  for (let round = 0; round < rounds; round++) {
    for (let isDone = false; !isDone; ) {
      const value = Atomics.load(words, CELL.exchanged);
      isDone = Atomics.compareExchange(words, CELL.exchanged, value, value + 1) === value;
    }
  }
  for (let round = 0; round < rounds; round++) {
    while (Atomics.compareExchange(words, CELL.lock, 0, 1) !== 0);
    words[CELL.locked] = (words[CELL.locked] ?? 0) + 1;
    Atomics.store(words, CELL.lock, 0);
  }
}

if (import.meta.main) {
  const [path = "", rounds = "0"] = process.argv.slice(2);
  count(new Int32Array(Bun.mmap(path, { shared: true }).buffer), Number(rounds));
}
