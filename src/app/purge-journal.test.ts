import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { appendFileSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { systemClock } from "../base/index.ts";
import { type JournalStore, openJournalStore } from "../control/io/index.ts";
import { type JournalBounds, PurgeJournal } from "./purge-journal.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "tenfold-purge-journal-"));
});
const opened: JournalStore[] = [];
afterEach(async () => {
  for (const store of opened.splice(0)) await store.close();
  rmSync(folder, { recursive: true, force: true });
});

const path = (): string => join(folder, "purges");
const ALL = { countMax: 1000, bytesMax: 1e9 };

async function open(bounds: JournalBounds = {}): Promise<{ journal: PurgeJournal; store: JournalStore }> {
  const store = await openJournalStore(path());
  opened.push(store);
  const isDamaged = store.tail.kind === "corrupt";
  return { store, journal: await PurgeJournal.open(store, { clock: systemClock, isDamaged }, bounds) };
}

/** The tags of the entries that are there. */
const tags = (journal: PurgeJournal): unknown[] =>
  journal.slice(journal.oldest, journal.head, ALL).map(({ order }) => order["tags"] ?? order);

describe("the log of purges", () => {
  test("begins with one of everything, in an epoch of its own", async () => {
    const { journal } = await open();
    expect([journal.epoch, journal.head, journal.oldest]).toEqual(["", 0, 1]);
    await journal.renew();
    expect([journal.epoch.length, journal.head, tags(journal)]).toEqual([36, 1, [{ everything: true }]]);
  });

  test("outlives its process, numbers and epoch unchanged", async () => {
    const first = await open();
    await first.journal.renew();
    for (const tag of ["a", "b"]) await first.journal.append({ tags: [tag] });
    await first.journal.setPosition("lon", { epoch: "e", number: 7 });
    // Not closed: a process that is killed closes nothing.
    const { journal } = await open();
    expect([journal.epoch, journal.head, tags(journal)]).toEqual([
      first.journal.epoch,
      3,
      [{ everything: true }, ["a"], ["b"]],
    ]);
    expect([journal.position("lon"), journal.position("ams")]).toEqual([
      { epoch: "e", number: 7 },
      undefined,
    ]);
  });

  test("keeps so many entries, and those that are left are the latest, without a gap", async () => {
    const { journal, store } = await open({ entriesMax: 5 });
    for (let at = 1; at <= 12; at++) await journal.append({ tags: [`${at}`] });
    expect([journal.oldest, journal.head, tags(journal)]).toEqual([
      8,
      12,
      [["8"], ["9"], ["10"], ["11"], ["12"]],
    ]);
    await store.close();
    const again = await open({ entriesMax: 5 });
    expect([again.journal.oldest, again.journal.head]).toEqual([8, 12]);
    expect(again.journal.slice(3, 12, ALL)).toEqual([]);
  });

  test("keeps so many bytes", async () => {
    const { journal, store } = await open({ bytesMax: 4000 });
    for (let at = 1; at <= 12; at++) await journal.append({ tags: ["x".repeat(900)] });
    expect([journal.oldest, journal.head]).toEqual([9, 12]);
    await store.close();
    expect((await open()).journal.oldest).toBe(9);
  });

  test("gives out no more at once than is asked for, and at least one", async () => {
    const { journal } = await open();
    for (let at = 1; at <= 4; at++) await journal.append({ tags: ["x".repeat(100)] });
    const numbers = (countMax: number, bytesMax: number, to = 4): number[] =>
      journal.slice(1, to, { countMax, bytesMax }).map(({ number }) => number);
    expect([numbers(2, 1e9), numbers(9, 400), numbers(9, 1), numbers(9, 1e9, 3)]).toEqual([
      [1, 2],
      [1, 2],
      [1],
      [1, 2, 3],
    ]);
  });

  test("whose last write was torn goes on: that entry was told to nobody", async () => {
    const { journal, store } = await open();
    await journal.renew();
    await journal.append({ tags: ["a"] });
    await store.close();
    truncateSync(path(), readFileSync(path()).length - 3);
    const again = await open();
    expect([again.journal.epoch, again.journal.head]).toEqual([journal.epoch, 1]);
  });

  test("that was damaged begins another epoch with a purge of everything", async () => {
    const { journal, store } = await open();
    await journal.renew();
    for (const tag of ["a", "b", "c"]) await journal.append({ tags: [tag] });
    await store.close();
    const bytes = readFileSync(path());
    bytes[bytes.length - 40] = (bytes[bytes.length - 40] ?? 0) ^ 0xff;
    writeFileSync(path(), bytes);
    appendFileSync(path(), "rubbish, and a lot of it, as a power cut may leave");
    const again = await open();
    expect(again.journal.epoch).not.toBe(journal.epoch);
    expect(tags(again.journal).at(-1)).toEqual({ everything: true });
  });
});
