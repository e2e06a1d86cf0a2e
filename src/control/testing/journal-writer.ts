/**
 * A process that writes to a journal as fast as it can and prints each number once it is acknowledged, until it is
 * killed. Arguments: path of the journal.
 */
import { openJournalStore } from "../io/journal-store.ts";

const path = process.argv[2];
if (path === undefined) throw new Error("usage: journal-writer.ts JOURNAL");
const store = await openJournalStore(path, { compactBytesMin: 2048 });
const { revision } = await store.list("");
for (let number = revision + 1; ; number += 1) {
  await store.put(`key/${number % 10}`, String(number), "any");
  process.stdout.write(`${number}\n`);
}
