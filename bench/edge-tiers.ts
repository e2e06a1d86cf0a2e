/**
 * Tiers: three edges at 10, 40 and 80 ms, two shields beside one origin, all of them real installations in their own processes,
 * the distances by relays. What shields save the origin; what clients notice when a shield, both, or an edge is killed; and
 * whether any edge gives out what is older than an acknowledged purge.
 *
 *     bin/bun bench/edge-tiers.ts [--requests 3000] [--interleavings 10000] [--seconds 6]
 */
import { createServer } from "node:http";
import { seededRandom } from "../src/base/index.ts";
import { options } from "./harness/arguments.ts";
import { type EdgeSite, type Installation, startEdgeSite } from "./harness/edge-site.ts";
import { KeepAliveClient } from "./harness/keep-alive-client.ts";
import { withFolder } from "./harness/process.ts";
import { conclude } from "./harness/results.ts";
import { pause } from "./harness/wait.ts";

const { requests, interleavings, seconds } = options({ requests: 3000, interleavings: 10_000, seconds: 6 });

const EDGES = { fra: 10, lon: 40, syd: 80 } as const;
const CLIENTS_PER_EDGE = 8;
const OBJECTS = 300;
const FALLBACK_MAX = 64;

/** Of the steps of the interleavings a change and its purge: the API takes 50 a second. */
const PURGE_SHARE = 0.05;
const PURGED_URLS = 32;

const random = seededRandom(5);
const versions = new Map<string, number>();
let originRequests = 0;

await withFolder(async (folder) => {
  const site = await startEdgeSite({
    folder,
    originPort: await startOrigin(),
    edges: EDGES,
    shields: ["s1", "s2"],
    fallbackMax: FALLBACK_MAX,
  });
  const direct = await popular(site, "/direct");
  const shielded = await popular(site, "/shielded");
  const bounded = await popular(site, "/bounded");
  const purged = await interleave(site);
  const oneShield = await killed(site, "one-shield", async () => site.shields[0]?.kill());
  const noShield = await killed(site, "no-shield", async () => site.shields[1]?.kill());
  const fallbacks = await Promise.all(site.edges.map(fallbackOf));
  const oneEdge = await killed(site, "one-edge", async () => site.edges[1]?.kill());
  const most = fallbacks.reduce((sum, { requests: taken }) => sum + taken, 0);
  conclude(
    "edge-tiers",
    [
      {
        claim: "without shields each edge asks the origin for each object once",
        figure: `${direct.origin} requests for ${direct.distinct} objects, hit ratio ${percent(direct.hitRatio)}`,
        met: direct.origin <= direct.wanted && direct.origin > 2 * direct.distinct,
      },
      {
        claim: "with shields the origin is asked once for each object",
        figure: `${shielded.origin} requests for ${shielded.distinct} objects, hit ratio ${percent(shielded.hitRatio)}`,
        met: shielded.origin <= shielded.distinct * 1.02,
      },
      {
        claim:
          "with the load of each shield bounded to 1.25 of its share, spills ask the origin at most twice for each object",
        figure: `${bounded.origin} requests for ${bounded.distinct} objects, hit ratio ${percent(bounded.hitRatio)}`,
        met: bounded.origin <= bounded.distinct * 2,
      },
      {
        claim: "half of the answers at an edge take less than 5 ms, whatever the distance",
        figure: shielded.p50Ms.map(([name, ms]) => `${name} ${ms.toFixed(2)} ms`).join(", "),
        met: shielded.p50Ms.every(([, ms]) => ms < 5),
      },
      {
        claim: `${interleavings} interleavings of changes, purges and requests at three edges: no answer older than an acknowledged purge`,
        figure: `${purged.stale} stale after ${purged.acksMs.length} purges, ${purged.unacknowledged} not acknowledged by all`,
        met: purged.stale === 0 && purged.unacknowledged === 0,
      },
      {
        claim: "all edges acknowledge a purge within 500 ms (p99)",
        figure: `${quantile(purged.acksMs, 0.99).toFixed(0)} ms, median ${quantile(purged.acksMs, 0.5).toFixed(0)} ms`,
        met: quantile(purged.acksMs, 0.99) < 500,
      },
      verdict("a shield is killed under load", oneShield),
      verdict("both shields are killed under load", noShield),
      {
        claim: "with both gone the fallback takes over, within its cap",
        figure: `${most} requests, ${fallbacks.reduce((sum, { refused }) => sum + refused, 0)} refused`,
        met: most > 0 && fallbacks.every(({ refused }) => refused === 0),
      },
      verdict("an edge is killed and its clients go to the next one", oneEdge),
    ],
    {
      direct,
      shielded,
      bounded,
      acksMs: [0.5, 0.9, 0.99, 1].map((share) => quantile(purged.acksMs, share)),
      oneShield,
      noShield,
      oneEdge,
      fallbacks,
    },
  );
});
process.exit();

// --- the origin -------------------------------------------------------------------------------------------------

function startOrigin(): Promise<number> {
  const server = createServer({ keepAlive: true, keepAliveTimeout: 60_000 }, (request, response) => {
    const url = request.url ?? "";
    originRequests++;
    const text = String(versions.get(url) ?? 0);
    const headers = {
      "cache-control": "max-age=3600",
      "cache-tag": tagOf(url),
      "content-length": text.length,
    };
    response.writeHead(200, headers).end(text);
  });
  return new Promise((resolve) => {
    server.listen(0, "127.0.0.1", 4096, () => {
      const address = server.address();
      resolve(typeof address === "object" && address !== null ? address.port : 0);
    });
  });
}

function tagOf(url: string): string {
  return url.slice(1).replaceAll("/", "-");
}

// --- what shields save ------------------------------------------------------------------------------------------

interface Popular {
  /** Requests at the origin, the least there can be, and how many it would be if each edge asked for each object that it was asked for. */
  readonly origin: number;
  readonly distinct: number;
  readonly wanted: number;
  readonly hitRatio: number;
  readonly p50Ms: readonly (readonly [edge: string, ms: number])[];
}

/** Requests at each edge, by Zipf's law, below a prefix that nobody has asked for. */
async function popular({ edges }: EdgeSite, prefix: string): Promise<Popular> {
  const before = originRequests;
  const seen = new Set<string>();
  let [wanted, hits] = [0, 0];
  const p50Ms: [string, number][] = [];
  for (const edge of edges) {
    const here = new Set<string>();
    const times: number[] = [];
    let left = requests;
    const walk = async (client: KeepAliveClient): Promise<void> => {
      while (left-- > 0) {
        const path = `${prefix}/${zipf()}`;
        here.add(path);
        const start = performance.now();
        await client.get(path);
        times.push(performance.now() - start);
        if (/cache-status: tenfold-\w+; hit/i.test(client.head)) hits++;
      }
    };
    await withClients(edge, walk);
    wanted += here.size;
    for (const path of here) seen.add(path);
    p50Ms.push([edge.name, quantile(times, 0.5)]);
  }
  const hitRatio = hits / (requests * edges.length);
  return { origin: originRequests - before, distinct: seen.size, wanted, hitRatio, p50Ms };
}

async function withClients(
  edge: Installation,
  walk: (client: KeepAliveClient) => Promise<void>,
): Promise<void> {
  const clients = await Promise.all(
    Array.from({ length: CLIENTS_PER_EDGE }, () => KeepAliveClient.connect(edge.port)),
  );
  await Promise.all(clients.map(walk));
  for (const client of clients) client.end();
}

/** 0 … OBJECTS - 1, the k-th with a chance of 1/k. */
function zipf(): number {
  return Math.min(OBJECTS - 1, Math.floor(Math.exp(random() * Math.log(OBJECTS + 1))) - 1);
}

// --- purges -----------------------------------------------------------------------------------------------------

interface Purged {
  readonly stale: number;
  readonly unacknowledged: number;
  readonly acksMs: readonly number[];
}

/** Each client goes its own way at its edge; purges are asked of one edge, or of a shield, and hold for all. */
async function interleave({ edges, shields }: EdgeSite): Promise<Purged> {
  const floors = new Map<string, number>();
  const acksMs: number[] = [];
  let [steps, stale, unacknowledged] = [0, 0, 0];
  const asked = [...edges, ...shields];
  const change = async (url: string): Promise<void> => {
    const version = (versions.get(url) ?? 0) + 1;
    versions.set(url, version);
    const start = performance.now();
    const at = asked[acksMs.length % asked.length];
    const result = await at?.purge({ tags: [tagOf(url)] });
    acksMs.push(performance.now() - start);
    if (result?.edges?.every(({ acknowledged }) => acknowledged) !== true) unacknowledged++;
    else floors.set(url, Math.max(floors.get(url) ?? 0, version));
  };
  const walk = async (client: KeepAliveClient): Promise<void> => {
    while (steps++ < interleavings) {
      const url = `/item-${Math.floor(random() * PURGED_URLS)}`;
      const floor = floors.get(url) ?? 0;
      if (random() < PURGE_SHARE) await change(url);
      else if (Number(await client.get(url)) < floor) stale++;
    }
  };
  await Promise.all(edges.map((edge) => withClients(edge, walk)));
  return { stale, unacknowledged, acksMs };
}

// --- kills ------------------------------------------------------------------------------------------------------

interface Tally {
  readonly answers: number;
  readonly failed: number;
  readonly longestMs: number;
}

/** Load of new and known objects at every edge; in the midst of it something is killed. A client whose edge is gone takes the next. */
async function killed({ edges }: EdgeSite, name: string, kill: () => Promise<unknown>): Promise<Tally> {
  let [answers, failed, longestMs] = [0, 0, 0];
  const end = performance.now() + seconds * 1000;
  const walk = async (at: number): Promise<void> => {
    for (let step = 0; performance.now() < end; step++) {
      const path = step % 2 === 0 ? `/${name}/${at}-${step}` : `/shielded/${zipf()}`;
      const start = performance.now();
      const status = await ask(edges, at, path);
      longestMs = Math.max(longestMs, performance.now() - start);
      if (status === 200) answers++;
      else failed++;
      await pause(20);
    }
  };
  const walks = Array.from({ length: edges.length * CLIENTS_PER_EDGE }, (_, at) => walk(at));
  await pause((seconds * 1000) / 3);
  await kill();
  await Promise.all(walks);
  return { answers, failed, longestMs };
}

/** As a client does that knows all edges: the nearest, or another when that one cannot be reached. */
async function ask(edges: readonly Installation[], at: number, path: string): Promise<number> {
  for (let turn = 0; turn < edges.length; turn++) {
    const edge = edges[(at + turn) % edges.length];
    try {
      const response = await fetch(`http://127.0.0.1:${edge?.port}${path}`, {
        headers: { host: "bench.test" },
      });
      await response.arrayBuffer();
      return response.status;
    } catch {
      // The next one.
    }
  }
  return 0;
}

async function fallbackOf(edge: Installation): Promise<{ edge: string; requests: number; refused: number }> {
  const { groups } = (await edge.status()).gateway;
  const { requests: taken = 0, refused = 0 } =
    groups.find(({ fallback }) => fallback !== undefined)?.fallback ?? {};
  return { edge: edge.name, requests: taken, refused };
}

function verdict(
  what: string,
  { answers, failed, longestMs }: Tally,
): { claim: string; figure: string; met: boolean } {
  return {
    claim: `${what}: every request is answered`,
    figure: `${answers} answers, ${failed} failed, longest ${longestMs.toFixed(0)} ms`,
    met: answers > 0 && failed === 0,
  };
}

function percent(share: number): string {
  return `${(share * 100).toFixed(1)} %`;
}

function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}
