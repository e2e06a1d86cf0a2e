/**
 * Purging: how long a purge of 100,000 objects by their tag takes, how soon it is true in every worker, and whether any
 * answer after an acknowledged purge is older than it, over many interleavings of changes, purges and requests.
 *
 *     bin/bun bench/edge-purge.ts [--objects 100000] [--purges 300] [--interleavings 100000] [--workers 4]
 */
import { createServer } from "node:http";
import { join } from "node:path";
import { seededRandom } from "../src/base/index.ts";
import type { Store } from "../src/edge/index.ts";
import { mapStore } from "../src/edge/io/index.ts";
import { columnsFor } from "../src/gateway/io/index.ts";
import { options } from "./harness/arguments.ts";
import { spreadOf } from "./harness/figures.ts";
import { startCachedGateway } from "./harness/gateway-worker.ts";
import { KeepAliveClient } from "./harness/keep-alive-client.ts";
import { withFolder } from "./harness/process.ts";
import { conclude } from "./harness/results.ts";

const { objects, purges, interleavings, workers } = options({
  objects: 100_000,
  purges: 300,
  interleavings: 100_000,
  workers: 4,
});

const CLIENTS = 32;
const URLS = 64;

/** Of the steps a change and its purge; the others are requests. */
const PURGE_SHARE = 0.1;

/** What the origin has for each URL now; it says so in the body. */
const versions = new Map<string, number>();

await withFolder(async (folder) => {
  const origin = await startOrigin();
  const port = await startCachedGateway(folder, { origin, workers, memory: "256MiB" });
  const store = mapStore(join(folder, "gateway", "cache"), columnsFor(workers));
  const clients = await Promise.all(Array.from({ length: CLIENTS }, () => KeepAliveClient.connect(port)));

  const stored = fill(store);
  const tagMs = time(() => purgeTag(store, "all-of-them"));
  const left = store.countConcerned({ kind: "tag", hash: hashOf(store, "all-of-them"), hard: true });
  console.log(`${stored} objects with one tag; ${left} records still lie there, and none is shown any more`);
  const everywhereMs = await untilTrueEverywhere(store, clients);
  const stale = await interleave(store, clients);
  for (const client of clients) client.end();
  conclude(
    "edge-purge",
    [
      {
        claim: `a purge by tag of ${stored} objects returns within 5 ms`,
        figure: `${tagMs.toFixed(3)} ms`,
        met: stored >= objects && tagMs < 5,
      },
      {
        claim: `a purge is true in all ${workers} workers within 100 ms (p99 of ${purges})`,
        figure: `${quantile(everywhereMs, 0.99).toFixed(2)} ms, median ${spreadOf(everywhereMs).median.toFixed(2)} ms`,
        met: quantile(everywhereMs, 0.99) < 100,
      },
      {
        claim: `${interleavings} interleavings of changes, purges and requests: no answer older than an acknowledged purge`,
        figure: `${stale} stale`,
        met: stale === 0,
      },
    ],
    { stored, tagMs, everywhereMs: spreadOf(everywhereMs), stale },
  );
});
process.exit();

// --- the origin -------------------------------------------------------------------------------------------------

function startOrigin(): Promise<number> {
  const server = createServer({ keepAlive: true }, (request, response) => {
    const url = request.url ?? "";
    const version = versions.get(url) ?? 0;
    // Some answers are on their way for a while: what is purged meanwhile must not come back with them.
    const send = (): void => {
      response
        .writeHead(200, {
          "cache-control": "max-age=3600",
          "cache-tag": tagOf(url),
          "content-length": String(version).length,
        })
        .end(String(version));
    };
    if (version % 3 === 0) setTimeout(send, 2);
    else send();
  });
  return new Promise((resolve) => {
    server.listen(0, "127.0.0.1", 4096, () => {
      const address = server.address();
      resolve(typeof address === "object" && address !== null ? address.port : 0);
    });
  });
}

function tagOf(url: string): string {
  return url.slice(1);
}

// --- purging ----------------------------------------------------------------------------------------------------

function hashOf(store: Store, tag: string): number {
  const bytes = Buffer.from(tag, "latin1");
  return store.hashLow(bytes, 0, bytes.length);
}

function purgeTag(store: Store, tag: string): void {
  const outcome = store.purge({ kind: "tag", hash: hashOf(store, tag), hard: true });
  if (outcome === "busy") throw new Error("a purge by tag found the store busy");
}

/** Puts objects with one tag straight into the store; how many it holds. */
function fill(store: Store): number {
  const tags = [hashOf(store, "all-of-them")];
  for (let i = 0; i < objects; i++) {
    const key = Buffer.from(`http\0shop.test\0/object/${i}`);
    const room = store.reserve({
      hashHi: store.hashHigh(key, 0, key.length),
      hashLo: store.hashLow(key, 0, key.length),
      urlHash: i,
      key,
      urlStart: 5,
      pathEnd: key.length,
      vary: new Uint8Array(0),
      tags,
      headBytes: 64,
      bodyBytes: 512,
      startSequence: store.purgeSequence,
      nowS: 1,
      usableUntilS: 0,
    });
    if (typeof room === "string") continue;
    if (room.commit() !== undefined) room.abort();
  }
  return store.stats().entries;
}

function time(work: () => void): number {
  const start = performance.now();
  work();
  return performance.now() - start;
}

/** From the purge until a request on every connection has been answered with what is new; ms for each purge. */
async function untilTrueEverywhere(store: Store, clients: readonly KeepAliveClient[]): Promise<number[]> {
  const times: number[] = [];
  const url = "/everywhere";
  for (let round = 1; round <= purges; round++) {
    await Promise.all(clients.map((client) => client.get(url)));
    versions.set(url, round);
    const start = performance.now();
    purgeTag(store, tagOf(url));
    const answers = await Promise.all(clients.map((client) => client.get(url)));
    times.push(performance.now() - start);
    if (answers.some((answer) => Number(answer) < round)) times.push(Number.POSITIVE_INFINITY);
  }
  return times;
}

/** Every client goes its own way; the number of answers older than a purge that was acknowledged before they were asked. */
async function interleave(store: Store, clients: readonly KeepAliveClient[]): Promise<number> {
  const random = seededRandom(11);
  let steps = 0;
  let stale = 0;
  const walk = async (client: KeepAliveClient): Promise<void> => {
    while (steps++ < interleavings) {
      const url = `/item-${Math.floor(random() * URLS)}`;
      if (random() < PURGE_SHARE) {
        versions.set(url, (versions.get(url) ?? 0) + 1);
        purgeTag(store, tagOf(url));
      } else {
        const purged = versions.get(url) ?? 0;
        if (Number(await client.get(url)) < purged) stale++;
      }
    }
  };
  await Promise.all(clients.map(walk));
  return stale;
}

function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}
