/**
 * A worker of the test of many processes on one disk tier: keeps, finds and purges at random, and checks all it is given.
 *
 * Content is made from key and version, so that a torn or foreign byte is noticed. A second file holds, for each key, its
 * latest version and the version that a purge was acknowledged for: an older object is a stale answer.
 */
import { crc32c, seededRandom, systemClock, systemScheduler } from "../../../base/index.ts";
import { admitEverything } from "../../disk/index.ts";
import { nameHash, requestFor } from "../../store/testing.ts";
import { DiskTier, joinDiskTier, mapStore } from "../index.ts";
import { mapFile } from "../mapped-file.ts";

/** Keys that are asked for. */
export const DISK_KEYS = 400;
const BODY_BYTES_MAX = 60_000;

/** What a worker saw. */
export interface DiskChurn {
  readonly found: number;
  readonly kept: number;
  readonly purges: number;
  readonly torn: number;
  readonly stale: number;
}

/** The URL of a key. */
export const churnUrl = (key: number): string => `example.com/${key % 20}/${key}`;

const encoder = new TextEncoder();

async function churn(
  tier: DiskTier,
  store: ReturnType<typeof mapStore>,
  origin: Int32Array,
  seed: number,
  ms: number,
): Promise<DiskChurn> {
  const seen = { found: 0, kept: 0, purges: 0, torn: 0, stale: 0 };
  const random = seededRandom(seed);
  const endMs = systemClock.nowMs() + ms;
  while (systemClock.nowMs() < endMs) {
    const key = Math.floor(random() ** 2 * DISK_KEYS);
    const bytes = encoder.encode(churnUrl(key));
    const acknowledged = Atomics.load(origin, DISK_KEYS + key);
    const hashHi = store.hashHigh(bytes, 0, bytes.length);
    const found = await tier.find({ hashHi, hashLo: store.hashLow(bytes, 0, bytes.length), key: bytes });
    if (typeof found !== "string") {
      const { entry } = found;
      const body = await found.body(0, entry.bodyBytes);
      found.close();
      seen.found++;
      const isRight = typeof body === "string" || crc32c(body) === entry.meta(1) >>> 0;
      if (!isRight || entry.meta(2) !== key) seen.torn++;
      if (entry.meta(0) < acknowledged) seen.stale++;
    } else keep(key);
    if (random() < 0.02) purge(key);
    // An object that is absent is told of in the same turn: the disk must have one too.
    if (random() < 0.2) await new Promise<void>((resolve) => systemScheduler.after(0, resolve));
  }
  await tier.flush();
  return seen;

  function keep(key: number): void {
    const startSequence = store.purgeSequence;
    const version = Atomics.load(origin, key);
    const bodyBytes = 1 + Math.floor(random() ** 3 * BODY_BYTES_MAX);
    const room = tier.reserve(
      requestFor(store, churnUrl(key), { bodyBytes, startSequence, tags: [String(key % 20)] }),
    );
    if (typeof room === "string") return;
    const body = room.bytes.subarray(room.bodyOffset, room.bodyOffset + bodyBytes);
    body.fill(Math.floor(random() * 256));
    room.setMeta(0, version);
    room.setMeta(1, crc32c(body) | 0);
    room.setMeta(2, key);
    room.commit();
    seen.kept++;
  }

  function purge(key: number): void {
    const version = Atomics.add(origin, key, 1) + 1;
    tier.purge({ kind: "url", hash: nameHash(churnUrl(key)), hard: true });
    Atomics.store(origin, DISK_KEYS + key, Math.max(version, Atomics.load(origin, DISK_KEYS + key)));
    seen.purges++;
  }
}

if (import.meta.main) {
  const [folder = "", storePath = "", originPath = "", worker = "0", seed = "0", ms = "0"] =
    process.argv.slice(2);
  const origin = new Int32Array(mapFile(originPath).buffer);
  const store = mapStore(storePath, Number(worker));
  const tier = joinDiskTier({
    folder,
    worker: Number(worker),
    store,
    admission: admitEverything,
    bytesPerSecond: 1e9,
  });
  if (!(tier instanceof DiskTier)) throw new Error(tier);
  const seen = await churn(tier, store, origin, Number(seed), Number(ms));
  await tier.stop();
  process.stdout.write(JSON.stringify(seen));
}
