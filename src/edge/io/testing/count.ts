/** A process that adds to counters in a mapped file: by compare-and-exchange, and without, under a lock of one word. */
const [path = "", rounds = "0"] = process.argv.slice(2);
const words = new Int32Array(Bun.mmap(path, { shared: true }).buffer);

// Both processes start together.
Atomics.add(words, 0, 1);
while (Atomics.load(words, 0) < 2);

for (let round = 0; round < Number(rounds); round++) {
  for (let done = false; !done; ) {
    const value = Atomics.load(words, 16);
    done = Atomics.compareExchange(words, 16, value, value + 1) === value;
  }
}
for (let round = 0; round < Number(rounds); round++) {
  while (Atomics.compareExchange(words, 32, 0, 1) !== 0);
  words[48] = (words[48] ?? 0) + 1;
  Atomics.store(words, 32, 0);
}
