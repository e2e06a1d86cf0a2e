/** A gateway with a cache of two tiers, for tests: what is stored can be sent to disk, and the disk can be hurt. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { UserCache } from "../../../../config/index.ts";
import type { DiskOff, Store } from "../../../../edge/index.ts";
import { DiskTier, type JoinDiskOptions, joinDiskTier, prepareDiskTier } from "../../../../edge/io/index.ts";
import { plainStore, type Target, track } from "../../../testing/index.ts";
import { before, type Cached } from "../testing.ts";

/** Objects of up to 12 MiB. */
const TIER_BYTES = 512 << 20;

/** All that is stored in memory is sent to disk. */
export interface OnDisk extends Cached {
  readonly store: Store;
  readonly tier: DiskTier;
  readonly folder: string;
  /** Moves all that memory holds to the disk. */
  readonly toDisk: () => Promise<void>;
  /** Writing stopped or went on. */
  readonly offs: (DiskOff | undefined)[];
  /** Changes bytes of all segments. */
  readonly hurt: (change: (bytes: Buffer) => void) => void;
}

/** What a test changes of the tiers. Unless `admitsAll` is false everything that is offered is written. */
export type TiersOptions = Partial<JoinDiskOptions> & {
  readonly memoryMib?: number;
  readonly admitsAll?: boolean;
};

/** A gateway before `target`. */
export async function beforeDisk(
  cache: UserCache,
  target: Target,
  options: TiersOptions = {},
): Promise<OnDisk> {
  const folder = options.folder ?? mkdtempSync(join(tmpdir(), "tenfold-cache-disk-"));
  const { memoryMib = 8, admitsAll = true } = options;
  const store = options.store ?? plainStore(memoryMib << 20);
  const off = prepareDiskTier({ folder, bytes: TIER_BYTES, workers: 2, store });
  if (off !== undefined) throw new Error(`no tier: ${off}`);
  const offs: (DiskOff | undefined)[] = [];
  const tier = joinDiskTier({
    worker: 0,
    store,
    ...(admitsAll ? { admission: () => undefined } : {}),
    bytesPerSecond: 4e9,
    offChanged: (reason) => offs.push(reason),
    ...options,
    folder,
  });
  if (!(tier instanceof DiskTier)) throw new Error(`no tier: ${tier}`);
  const disk = `${TIER_BYTES >> 20}MiB`;
  const cached = await before(
    cache,
    target,
    { gateway: { cache: { memory: `${Math.max(8, memoryMib)}MiB`, disk } } },
    { store, disk: tier },
  );
  track({ stop: () => rmSync(folder, { recursive: true, force: true }) });
  return {
    ...cached,
    store,
    tier,
    folder,
    offs,
    toDisk: () => toDisk(store, tier),
    hurt: (change) => hurt(folder, change),
  };
}

async function toDisk(store: Store, tier: DiskTier): Promise<void> {
  const keys: { readonly hashHi: number; readonly hashLo: number; readonly key: Uint8Array }[] = [];
  store.walk((entry) => {
    tier.offer(entry);
    const { hashHi, hashLo, bytes, keyOffset, keyBytes } = entry;
    keys.push({ hashHi, hashLo, key: bytes.slice(keyOffset, keyOffset + keyBytes) });
  });
  for (const { hashHi, hashLo, key } of keys) store.remove(hashHi, hashLo, key, 0, key.length);
  await tier.flush();
}

function hurt(folder: string, change: (bytes: Buffer) => void): void {
  for (const name of readdirSync(folder).filter((each) => each.startsWith("segment-"))) {
    const path = join(folder, name);
    const bytes = readFileSync(path);
    change(bytes);
    // In place: the file is open.
    writeFileSync(path, bytes, { flag: "r+" });
  }
}
