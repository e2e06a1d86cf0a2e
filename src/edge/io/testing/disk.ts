/** Builders for tests of the disk tier: a folder of its own, a memory store above, objects named by URLs. */
import { mkdtempSync, rmSync, statSync, truncateSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { admitEverything, DISK_HEADER, type DiskMiss, type DiskRefusal } from "../../disk/index.ts";
import type { Store } from "../../store/index.ts";
import { memoryStore, requestFor, type TestObject } from "../../store/testing.ts";
import type { DiskQuery } from "../disk-reads.ts";
import {
  type DiskRecord,
  DiskTier,
  type JoinDiskOptions,
  joinDiskTier,
  prepareDiskTier,
  sealDiskTier,
} from "../index.ts";
import { mapFile } from "../mapped-file.ts";

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** A tier of tests is small: sixteen segments of 256 KiB. */
const TIER_BYTES: number = 4 << 20;

/** What a test changes of a tier. */
export type SceneOptions = Partial<JoinDiskOptions> & { readonly bytes?: number; readonly workers?: number };

/** One folder, and the tiers that were opened on it. */
export class DiskScene {
  readonly folder: string;
  readonly #tiers: DiskTier[] = [];
  readonly #options: SceneOptions;
  store: Store;

  constructor(options: SceneOptions = {}, folder: string = mkdtempSync(join(tmpdir(), "tenfold-disk-"))) {
    this.folder = folder;
    this.#options = options;
    this.store = options.store ?? memoryStore({ bytes: 4 << 20 });
  }

  /** Prepares the folder and joins as worker 0, as a start of the gateway does. */
  start(): DiskTier {
    const { bytes = TIER_BYTES, workers = 4 } = this.#options;
    const off = prepareDiskTier({
      folder: this.folder,
      bytes,
      workers,
      objectBytes: 1024,
      store: this.store,
    });
    if (off !== undefined) throw new Error(`no tier: ${off}`);
    return this.join(0);
  }

  join(worker: number): DiskTier {
    const tier = joinDiskTier({
      admission: admitEverything,
      bytesPerSecond: 4e9,
      ...this.#options,
      folder: this.folder,
      worker,
      store: this.store,
    });
    if (!(tier instanceof DiskTier)) throw new Error(`no tier: ${tier}`);
    this.#tiers.push(tier);
    return tier;
  }

  /** Stops cleanly and starts again. */
  async restart(): Promise<DiskTier> {
    await this.stop();
    sealDiskTier(this.folder);
    return this.start();
  }

  /** Starts again as after a crash of the machine: the store in memory is lost, and the index is not believed. */
  async reboot(): Promise<DiskTier> {
    await this.stop();
    this.forgetBoot();
    this.store = memoryStore({ bytes: 4 << 20 });
    return this.start();
  }

  /** Makes the index one of another boot. */
  forgetBoot(): void {
    const words = new Int32Array(mapFile(join(this.folder, "index")).buffer);
    words.fill(1, DISK_HEADER.bootId, DISK_HEADER.bootId + 4);
    words[DISK_HEADER.sealed] = 0;
  }

  async stop(): Promise<void> {
    await Promise.all(this.#tiers.splice(0).map((tier) => tier.stop()));
  }

  async remove(): Promise<void> {
    await this.stop();
    rmSync(this.folder, { recursive: true, force: true });
  }

  /** Cuts a file of the folder to a share of its size. */
  cut(name: string, share: number): void {
    const path = join(this.folder, name);
    truncateSync(path, Math.floor(statSync(path).size * share));
  }
}

/** Offers an object for a URL by `reserve`. Why it is not taken, if so. */
export function keep(
  tier: DiskTier,
  store: Store,
  url: string,
  object: TestObject = {},
): DiskRefusal | undefined {
  const room = tier.reserve(requestFor(store, url, object));
  if (typeof room === "string") return room;
  room.bytes.set(encoder.encode("head"), room.headOffset);
  room.bytes.set(bodyFor(url, object), room.bodyOffset);
  room.setStatus(200);
  room.setMeta(0, 42);
  room.commit();
  return undefined;
}

/** The body of a URL's object: its text, or as many bytes as were asked for. */
export function bodyFor(url: string, { body, bodyBytes }: TestObject = {}): Uint8Array {
  if (bodyBytes === undefined) return encoder.encode(body ?? url);
  const bytes = new Uint8Array(bodyBytes);
  for (let at = 0; at < bodyBytes; at++) bytes[at] = (at * 31 + (at >> 8) + url.length) & 0xff;
  return bytes;
}

/** Looks for the object of a URL. */
export function seek(
  tier: DiskTier,
  store: Store,
  url: string,
  { isWhole = false }: Pick<DiskQuery, "isWhole"> = {},
): Promise<DiskRecord | DiskMiss> {
  const key = encoder.encode(url);
  const hashHi = store.hashHigh(key, 0, key.length);
  return tier.find({ hashHi, hashLo: store.hashLow(key, 0, key.length), key, isWhole });
}

/** The body of a URL's object as text, or why there is none. */
export async function read(tier: DiskTier, store: Store, url: string): Promise<string> {
  const found = await seek(tier, store, url);
  if (typeof found === "string") return found;
  const body = await found.body(0, found.entry.bodyBytes);
  found.close();
  return typeof body === "string" ? body : decoder.decode(body);
}
