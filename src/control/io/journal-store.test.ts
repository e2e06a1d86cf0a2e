import { describe, expect, test } from "bun:test";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { temporaryFolder } from "../testing/folders.ts";
import { stateStoreSuite } from "../testing/state-store-suite.ts";
import { openJournalStore } from "./journal-store.ts";

stateStoreSuite("the journal store", () => {
  const path = join(temporaryFolder(), "journal");
  return { open: () => openJournalStore(path) };
});

/** A journal with `count` writes to one key each; gives its bytes and where each record ends. */
async function journalOf(path: string, count: number): Promise<{ bytes: Buffer; ends: number[] }> {
  const store = await openJournalStore(path);
  const ends: number[] = [];
  for (let number = 1; number <= count; number += 1) {
    await store.put(`k${number}`, `value ${number}`, 0);
    ends.push(readFileSync(path).length);
  }
  await store.close();
  return { bytes: readFileSync(path), ends };
}

describe("a damaged journal", () => {
  test("cut at any byte, opens with every whole record and reports the torn one", async () => {
    const path = join(temporaryFolder(), "journal");
    const { bytes, ends } = await journalOf(path, 3);
    for (let length = 0; length <= bytes.length; length += 1) {
      writeFileSync(path, bytes.subarray(0, length));
      const store = await openJournalStore(path);
      const whole = ends.filter((end) => end <= length).length;
      expect((await store.list("")).entries).toHaveLength(whole);
      expect(store.tail.kind).toBe(length === 0 || ends.includes(length) ? "whole" : "torn");
      await store.close();
      expect(readFileSync(path)).toHaveLength(ends[whole - 1] ?? 0);
    }
  });

  test("with a flipped byte anywhere in its last record, keeps the others and the damaged bytes", async () => {
    const path = join(temporaryFolder(), "journal");
    const { bytes, ends } = await journalOf(path, 2);
    for (let at = ends[0]! + 4; at < bytes.length; at += 1) {
      const damaged = Buffer.from(bytes);
      damaged[at]! ^= 0x41;
      writeFileSync(path, damaged);
      const store = await openJournalStore(path);
      expect(store.tail).toEqual({ kind: "corrupt", lostBytes: bytes.length - ends[0]! });
      expect((await store.list("")).entries).toHaveLength(1);
      await store.close();
    }
    expect(existsSync(`${path}.damaged`)).toBe(true);
  });

  test("with a tail of zeros, as a power cut leaves, can be written again", async () => {
    const path = join(temporaryFolder(), "journal");
    const { bytes } = await journalOf(path, 1);
    writeFileSync(path, Buffer.concat([bytes, Buffer.alloc(4096)]));
    const store = await openJournalStore(path);
    await store.put("k2", "after", 0);
    await store.close();
    const again = await openJournalStore(path);
    expect([again.tail.kind, (await again.list("")).entries.length]).toEqual(["whole", 2]);
    await again.close();
  });
});

describe("compaction", () => {
  test("keeps the journal a bounded multiple of what it says, and every value and revision", async () => {
    const path = join(temporaryFolder(), "journal");
    const store = await openJournalStore(path, { compactBytesMin: 1000 });
    for (let number = 1; number <= 100; number += 1) await store.put(`k${number % 3}`, `v${number}`, "any");
    const before = await store.list("");
    await store.close();
    expect(readFileSync(path).length).toBeLessThan(1100);
    const again = await openJournalStore(path);
    expect(await again.list("")).toEqual(before);
    await again.close();
  });
});

test("a writer that is SIGKILLed at any moment loses no acknowledged write", async () => {
  const path = join(temporaryFolder(), "journal");
  const script = fileURLToPath(new URL("../testing/journal-writer.ts", import.meta.url));
  for (let round = 1; round <= 5; round += 1) {
    const writer = Bun.spawn([process.execPath, script, path], { stdout: "pipe", stderr: "inherit" });
    const acknowledged = await killAfterLines(writer, 20 * round);
    const store = await openJournalStore(path);
    expect((await store.list("")).revision).toBeGreaterThanOrEqual(acknowledged);
    await store.close();
  }
});

/** Kills the writer once it has printed `count` lines; gives the last number it acknowledged. */
async function killAfterLines(
  writer: Bun.Subprocess<"ignore", "pipe", "inherit">,
  count: number,
): Promise<number> {
  let text = "";
  for await (const chunk of writer.stdout) {
    text += new TextDecoder().decode(chunk);
    if (text.split("\n").length > count) writer.kill("SIGKILL");
  }
  await writer.exited;
  return Number(text.split("\n").at(-2));
}
