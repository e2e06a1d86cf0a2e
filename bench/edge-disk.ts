/**
 * The disk tier of the edge cache: what is found again after a death and after a crash of the machine, what its index
 * takes, and what reading and writing an object cost, beside one file for each object as nginx and Apache keep them.
 *
 * A process of its own fills the tier and is killed with its writes under way; what it had been told is written counts.
 * A crash of the machine is played: the index is made one of another boot and the page cache is emptied.
 * Objects are 4 KiB on average. Cold reads need the right to drop the page cache and are left out without it.
 *
 *     bin/bun bench/edge-disk.ts [--mib 1024] [--reads 40000] [--files 20000] [--concurrency 16]
 */

import { spawnSync } from "node:child_process";
import { statSync, writeFileSync } from "node:fs";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { crc32c, seededRandom } from "../src/base/index.ts";
import { checksum } from "../src/edge/disk/checksum.ts";
import { admitEverything, DISK_HEADER, diskLayoutOf, diskSizesFor } from "../src/edge/disk/index.ts";
import { DiskTier, joinDiskTier, openStore, prepareDiskTier, sealDiskTier } from "../src/edge/io/index.ts";
import { mapFile } from "../src/edge/io/mapped-file.ts";
import type { Store } from "../src/edge/store/index.ts";
import { options } from "./harness/arguments.ts";
import { showTable, type Verdict } from "./harness/figures.ts";
import { withFolder } from "./harness/process.ts";
import { conclude } from "./harness/results.ts";

const MEAN_BODY_BYTES = 3700;
const BODY_BYTES_MAX = 60_000;
const HEAD_BYTES = 150;
/** The tier that the index must be small for. */
const PROMISED = { bytes: 10 * 2 ** 30, objects: 2.6e6, indexBytes: 200 * 2 ** 20 };
const FOUND_MIN = 0.95;
/** A tier of 10 GiB is whole again in half a minute, while it is used. */
const SCAN_MS_PER_GIB = 3000;
/** Bare reads: nobody checks what a file has. */
const READ_RATIO_MAX = 1.25;
const BATCH = 256;

const { mib, reads, files, concurrency, fill } = options({
  mib: 1024,
  reads: 40_000,
  files: 20_000,
  concurrency: 16,
  fill: "",
});
const bytes = mib * 2 ** 20;
/** Nine tenths of the tier are filled, so that nothing is dropped. */
const objects = Math.floor((bytes * 0.9) / 4096);

const encoder = new TextEncoder();
const sizes = seededRandom(1);
const bodyBytes = Array.from({ length: objects }, () =>
  Math.min(BODY_BYTES_MAX, 1 + Math.floor(-Math.log(1 - sizes()) * MEAN_BODY_BYTES)),
);
const body = new Uint8Array(BODY_BYTES_MAX).map((_, at) => (at * 31) & 0xff);

const keyOf = (object: number): Uint8Array =>
  encoder.encode(`https://www.example.com/assets/${object % 97}/${object}.js`);

/** The store and the tier of a folder, as a gateway of one worker opens them. */
function start(folder: string): { store: Store; tier: DiskTier; prepareMs: number } {
  const store = openStore({ path: join(folder, "store"), bytes: 8 << 20, workers: 1 });
  const begun = performance.now();
  const off = prepareDiskTier({ folder: join(folder, "tier"), bytes, workers: 1, store });
  const prepareMs = performance.now() - begun;
  if (off !== undefined) throw new Error(`no tier: ${off}`);
  const tier = joinDiskTier({
    folder: join(folder, "tier"),
    worker: 0,
    store,
    admission: admitEverything,
    bytesPerSecond: 1e12,
  });
  if (!(tier instanceof DiskTier)) throw new Error(`no tier: ${tier}`);
  return { store, tier, prepareMs };
}

function keep(tier: DiskTier, store: Store, object: number): boolean {
  const key = keyOf(object);
  const size = bodyBytes[object] ?? 1;
  const room = tier.reserve({
    hashHi: store.hashHigh(key, 0, key.length),
    hashLo: store.hashLow(key, 0, key.length),
    urlHash: object,
    key,
    urlStart: 8,
    pathEnd: key.length,
    vary: new Uint8Array(0),
    tags: [1, 2],
    headBytes: HEAD_BYTES,
    bodyBytes: size,
    startSequence: store.purgeSequence,
    nowS: 1,
    usableUntilS: 0,
  });
  if (typeof room === "string") return false;
  room.bytes.set(body.subarray(0, size), room.bodyOffset);
  room.setMeta(0, object);
  return room.commit() === undefined;
}

/** Fills a tier until it is killed: after each batch the number of objects that can be found. */
async function fillForEver(folder: string): Promise<void> {
  const { store, tier } = start(folder);
  for (let object = 0; object < objects; ) {
    const end = Math.min(objects, object + BATCH);
    for (; object < end; object++) if (!keep(tier, store, object)) throw new Error("refused");
    await tier.flush();
    process.stdout.write(`${object}\n`);
  }
  for (let object = 0; ; object = (object + 1) % 1000) {
    keep(tier, store, object);
    if (object % 100 === 0) await tier.flush();
  }
}

/** Fills a tier in another process and kills it in the middle of a write: how many objects it was told are there. */
async function fillAndKill(folder: string): Promise<number> {
  const args = [import.meta.path, "--mib", String(mib), "--fill", folder];
  const child = Bun.spawn([process.execPath, ...args], { stdout: "pipe", stderr: "inherit" });
  let told = 0;
  let rest = "";
  for await (const chunk of child.stdout) {
    const lines = (rest + Buffer.from(chunk).toString()).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) told = Number(line);
    if (told < objects) continue;
    break;
  }
  await Bun.sleep(30);
  child.kill("SIGKILL");
  await child.exited;
  return told;
}

/** Which share of the first `count` objects is found, each with its own body. */
async function foundShare(tier: DiskTier, store: Store, count: number): Promise<number> {
  let right = 0;
  await inParallel(count, async (object) => {
    const found = await look(tier, store, object);
    if (found === undefined) return;
    const { entry } = found;
    const is = entry.bytes.subarray(entry.bodyOffset, entry.bodyOffset + entry.bodyBytes);
    if (entry.meta(0) !== object || Buffer.compare(is, body.subarray(0, bodyBytes[object])) !== 0)
      throw new Error(`a wrong body for object ${object}`);
    right++;
  });
  return right / count;
}

async function look(tier: DiskTier, store: Store, object: number) {
  const key = keyOf(object);
  const hashHi = store.hashHigh(key, 0, key.length);
  const found = await tier.find({ hashHi, hashLo: store.hashLow(key, 0, key.length), key });
  return typeof found === "string" ? undefined : found;
}

/** Calls `work` for all numbers below `count`, `concurrency` at a time. */
async function inParallel(count: number, work: (index: number) => Promise<void>): Promise<void> {
  let next = 0;
  const lane = async (): Promise<void> => {
    while (next < count) await work(next++);
  };
  await Promise.all(Array.from({ length: concurrency }, lane));
}

interface Cost {
  readonly perSecond: number;
  /** CPU of all threads of this process, the kernel's part too. */
  readonly cpuUs: number;
}

async function cost(count: number, work: (index: number) => Promise<void>): Promise<Cost> {
  const cpu = process.cpuUsage();
  const begun = performance.now();
  await inParallel(count, work);
  const seconds = (performance.now() - begun) / 1000;
  const { user, system } = process.cpuUsage(cpu);
  return { perSecond: count / seconds, cpuUs: (user + system) / count };
}

/** Makes the kernel forget what it has read. False without the right to. */
function dropCaches(): boolean {
  spawnSync("sync");
  try {
    writeFileSync("/proc/sys/vm/drop_caches", "1");
    return true;
  } catch {
    return false;
  }
}

/** Objects as evictions bring them, into a fresh tier, to the end of the last write. */
async function writeCost(folder: string): Promise<Cost> {
  await mkdir(folder);
  const { store, tier } = start(folder);
  const write = async (from: number, to: number): Promise<void> => {
    for (let object = from; object < to; object++) {
      keep(tier, store, object);
      if (object % (8 * BATCH) === 0) await tier.flush();
    }
    await tier.flush();
  };
  await write(0, Math.floor(files / 4));
  const cpu = process.cpuUsage();
  const begun = performance.now();
  const end = Math.min(objects, files + Math.floor(files / 4));
  await write(Math.floor(files / 4), end);
  const seconds = (performance.now() - begun) / 1000;
  await tier.stop();
  const { user, system } = process.cpuUsage(cpu);
  const count = end - Math.floor(files / 4);
  return { perSecond: count / seconds, cpuUs: (user + system) / count };
}

async function measure(folder: string): Promise<void> {
  const told = await fillAndKill(folder);
  let { store, tier, prepareMs } = start(folder);
  const afterKill = await foundShare(tier, store, told);
  const killMs = prepareMs;

  await tier.stop();
  sealDiskTier(join(folder, "tier"));
  ({ store, tier, prepareMs } = start(folder));
  const afterStop = await foundShare(tier, store, told);
  const stopMs = prepareMs;

  await tier.stop();
  const index = new Int32Array(mapFile(join(folder, "tier/index")).buffer);
  index.fill(1, DISK_HEADER.bootId, DISK_HEADER.bootId + 4);
  const isCold = dropCaches();
  const begun = performance.now();
  const cpu = process.cpuUsage();
  ({ store, tier, prepareMs } = start(folder));
  await tier.rebuilt;
  const scanMs = performance.now() - begun;
  const scanned = process.cpuUsage(cpu);
  const { usedBytes } = tier.stats();
  const afterCrash = await foundShare(tier, store, told);

  const random = seededRandom(2);
  const anyObject = Array.from({ length: reads }, () => Math.floor(random() * told));
  const readAny = async (at: number): Promise<void> => {
    await look(tier, store, anyObject[at] ?? 0);
  };
  await cost(reads / 4, readAny);
  const warm = await cost(reads, readAny);
  dropCaches();
  const cold = await cost(Math.floor(reads / 8), readAny);

  const many = join(folder, "files");
  const pathOf = (at: number): string => join(many, String(at & 0xff), String(at));
  for (let sub = 0; sub < 256; sub++) await mkdir(join(many, String(sub)), { recursive: true });
  const fileWrites = await cost(files, (at) => writeFile(pathOf(at), body.subarray(0, bodyBytes[at] ?? 1)));
  await cost(files / 4, async (at) => void (await readFile(pathOf(at))));
  const fileReads = await cost(files, async (at) => void (await readFile(pathOf(at))));
  dropCaches();
  const coldFiles = await cost(
    Math.floor(files / 8),
    async (at) => void (await readFile(pathOf((at * 7919) % files))),
  );

  await tier.stop();
  const writes = await writeCost(join(folder, "fresh"));

  const indexBytes = statSync(join(folder, "tier/index")).size;
  const promised = diskLayoutOf(diskSizesFor({ bytes: PROMISED.bytes, workers: 8 })).words * 4;
  const row = (name: string, { perSecond, cpuUs }: Cost): string[] => [
    name,
    perSecond.toFixed(0),
    cpuUs.toFixed(1),
  ];
  console.log(
    showTable([
      ["objects of 4 KiB", "per second", "CPU µs each"],
      row("read, in the page cache", warm),
      row("  a file for each", fileReads),
      row(isCold ? "read, cold" : "read, cold (page cache not dropped)", cold),
      row("  a file for each", coldFiles),
      row("written", writes),
      row("  a file for each", fileWrites),
    ]),
  );
  const chunk = new Uint8Array(65_536).fill(7);
  const ours = perCallUs(() => checksum(chunk, 0, chunk.length));
  const other = perCallUs(() => crc32c(chunk));
  console.log(
    `checksum of a chunk of 64 KiB: ${ours.toFixed(1)} µs; CRC-32C in JavaScript ${other.toFixed(0)} µs`,
  );
  const gib = usedBytes / 2 ** 30;
  const verdicts: Verdict[] = [
    promisedAfter("a worker killed with kill -9", afterKill, `ready in ${killMs.toFixed(0)} ms`),
    promisedAfter("a clean stop", afterStop, `ready in ${stopMs.toFixed(0)} ms`),
    promisedAfter("a crash of the machine", afterCrash, `index made anew from the segments`),
    {
      claim: `an index lost with the machine is made anew in ${SCAN_MS_PER_GIB / 1000} s for each GiB, while the tier is used`,
      figure: `${scanMs.toFixed(0)} ms for ${gib.toFixed(2)} GiB${isCold ? ", cold" : ""}, CPU ${((scanned.user + scanned.system) / 1000).toFixed(0)} ms; used after ${prepareMs.toFixed(0)} ms`,
      met: scanMs <= SCAN_MS_PER_GIB * gib,
    },
    {
      claim: "10 GiB with 2.6 million objects cost less than 200 MiB of index",
      figure: `${(promised / 2 ** 20).toFixed(0)} MiB, ${(promised / PROMISED.objects).toFixed(1)} bytes an object`,
      met: promised < PROMISED.indexBytes,
    },
    {
      claim: `a read, proved and checked against the purges, costs at most ${READ_RATIO_MAX} of the CPU of a file for each object`,
      figure: `${(warm.cpuUs / fileReads.cpuUs).toFixed(2)} of it (${warm.cpuUs.toFixed(1)} µs)`,
      met: warm.cpuUs <= fileReads.cpuUs * READ_RATIO_MAX,
    },
    {
      claim: "writing an object costs less than half the CPU of a file for each",
      figure: `${(writes.cpuUs / fileWrites.cpuUs).toFixed(2)} of it (${writes.cpuUs.toFixed(1)} µs)`,
      met: writes.cpuUs <= fileWrites.cpuUs / 2,
    },
  ];
  conclude("edge-disk", verdicts, {
    mib,
    told,
    afterKill,
    afterStop,
    afterCrash,
    scanMs,
    indexBytes,
    promised,
    warm,
    cold,
    isCold,
    writes,
    fileReads,
    coldFiles,
    fileWrites,
    checksumUs: { ours, crc32c: other },
  });
}

function perCallUs(call: () => unknown): number {
  for (let warmUp = 0; warmUp < 200; warmUp++) call();
  const begun = performance.now();
  for (let round = 0; round < 500; round++) call();
  return ((performance.now() - begun) * 1000) / 500;
}

function promisedAfter(after: string, share: number, detail: string): Verdict {
  return {
    claim: `at least 95 % of the objects are found again after ${after}`,
    figure: `${(share * 100).toFixed(2)} %; ${detail}`,
    met: share >= FOUND_MIN,
  };
}

if (fill === "") await withFolder(measure);
else await fillForEver(fill);
