/**
 * How long the usual things take on this machine: memory, disk, loopback. Each is measured for a fraction of a second,
 * and the median of many counts, so that a busy moment does not.
 */
import { closeSync, fsyncSync, mkdtempSync, openSync, readSync, rmSync, writeSync } from "node:fs";
import { connect, createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Measurable } from "../../planner/index.ts";

/** Larger than any last-level cache that this is likely to run on. */
const RAM_BYTES = 256 * 1024 * 1024;
/** Smaller than any first-level cache. */
const L1_BYTES = 16 * 1024;
const CHASES = 2_000_000;
const FILE_BYTES = 64 * 1024 * 1024;
const PAGE_BYTES = 4096;
const SYNCS = 30;
const READS = 2000;
const ROUND_TRIPS = 500;
const MB = 1_000_000;
const NS_PER_MS = 1e6;

/** All that can be measured here; the file work is done in `folder`. Takes a few seconds. */
export async function measureLatencies(folder: string = tmpdir()): Promise<Map<Measurable, number>> {
  const measured = new Map<Measurable, number>([
    ["l1", chaseMs(L1_BYTES)],
    ["ram", chaseMs(RAM_BYTES)],
    ["ram-mb", megabyteMs()],
  ]);
  const scratch = mkdtempSync(join(folder, "tenfold-measure-"));
  try {
    measured.set("disk-write", syncedWriteMs(scratch));
    measured.set("disk-read", randomReadMs(scratch));
  } finally {
    rmSync(scratch, { recursive: true });
  }
  return measured.set("loopback", await loopbackMs());
}

function nowMs(): number {
  return Number(process.hrtime.bigint()) / NS_PER_MS;
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1] ?? 0;
}

/** Each load needs the one before it, so none can be foreseen: a random cycle through the memory (Sattolo 1986). */
function chaseMs(bytes: number): number {
  const length = bytes / Int32Array.BYTES_PER_ELEMENT;
  const next = Int32Array.from({ length }, (_, index) => index);
  let state = 1;
  for (let i = length - 1; i > 0; i--) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    const j = state % i;
    [next[i], next[j]] = [next[j] ?? 0, next[i] ?? 0];
  }
  let at = 0;
  const startMs = nowMs();
  for (let i = 0; i < CHASES; i++) at = next[at] ?? 0;
  const tookMs = nowMs() - startMs;
  // The result is used, so that the loop cannot be left out.
  return at < 0 ? 0 : tookMs / CHASES;
}

function megabyteMs(): number {
  const memory = new Float64Array(RAM_BYTES / 8).fill(1);
  const step = MB / 8;
  const times: number[] = [];
  let sum = 0;
  for (let from = 0; from + step <= memory.length; from += step) {
    const startMs = nowMs();
    for (let i = from; i < from + step; i++) sum += memory[i] ?? 0;
    times.push(nowMs() - startMs);
  }
  return sum < 0 ? 0 : median(times);
}

function syncedWriteMs(folder: string): number {
  const file = openSync(join(folder, "write"), "w");
  const page = new Uint8Array(PAGE_BYTES);
  const times = Array.from({ length: SYNCS }, () => {
    const startMs = nowMs();
    writeSync(file, page);
    fsyncSync(file);
    return nowMs() - startMs;
  });
  closeSync(file);
  return median(times);
}

/** May come from the page cache: without rights to empty it nobody can tell. */
function randomReadMs(folder: string): number {
  const path = join(folder, "read");
  const written = openSync(path, "w");
  const chunk = new Uint8Array(1024 * 1024);
  for (let done = 0; done < FILE_BYTES; done += chunk.length) writeSync(written, chunk);
  fsyncSync(written);
  closeSync(written);
  const file = openSync(path, "r");
  const page = new Uint8Array(PAGE_BYTES);
  let state = 7;
  const times = Array.from({ length: READS }, () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    const startMs = nowMs();
    readSync(file, page, 0, PAGE_BYTES, (state % (FILE_BYTES / PAGE_BYTES)) * PAGE_BYTES);
    return nowMs() - startMs;
  });
  closeSync(file);
  return median(times);
}

/** One byte there and back over TCP. */
async function loopbackMs(): Promise<number> {
  const server = createServer((socket) => socket.setNoDelay(true).pipe(socket));
  const port = await new Promise<number>((resolve) => {
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      resolve(typeof address === "object" && address !== null ? address.port : 0);
    });
  });
  const socket = connect({ port, host: "127.0.0.1", noDelay: true });
  await new Promise<void>((resolve) => void socket.once("connect", () => resolve()));
  const times: number[] = [];
  for (let i = 0; i < ROUND_TRIPS; i++) times.push(await roundTripMs(socket));
  socket.destroy();
  server.close();
  return median(times);
}

function roundTripMs(socket: Socket): Promise<number> {
  const startMs = nowMs();
  return new Promise((resolve) => {
    socket.once("data", () => resolve(nowMs() - startMs));
    socket.write("x");
  });
}
