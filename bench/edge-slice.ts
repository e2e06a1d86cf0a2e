/**
 * What a seek in a large file costs: time to the whole answer and CPU, of our slices beside nginx's slice module, of 1 MiB
 * both; first where nothing is stored, then where the slice is. And what it costs to stream a part of it.
 *
 * Both run at once on core 0, idle but for their turns; the client is this process, the origin nginx with a sparse file of
 * 1 GiB on core 1. nginx keeps slices in files, which the kernel has in memory here.
 *
 *     bin/bun bench/edge-slice.ts [--rounds 5] [--seeks 60] [--streamMiB 96]
 */
import { truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { options } from "./harness/arguments.ts";
import { ratioOf, showSpread, showTable, spreadOf, type Verdict } from "./harness/figures.ts";
import { gatewayWorker } from "./harness/gateway-worker.ts";
import { cpuOf } from "./harness/proc.ts";
import { launchListening, type Started, withFolder } from "./harness/process.ts";
import { conclude } from "./harness/results.ts";
import { freePort, pause } from "./harness/wait.ts";

const CACHE_CORE = 0;
const ORIGIN_CORE = 1;
const MIB = 1024 * 1024;
const FILE_BYTES = 1024 * MIB;
const SEEK_BYTES = 1024;
const SETTLE_MS = 200;

/** Warm seeks for each cold one: the kernel counts CPU in hundredths of a second, and a turn should be many of them. */
const WARM_TIMES = 100;

/** Turns of warm seeks before the first round, as in harness/cache-race.ts: what can be compiled is. */
const WARM_UPS = 3;

/** What is measured, in the order of a round. */
const WORK = ["cold seek", "warm seek", "cold stream", "warm stream"] as const;

interface Contestant {
  readonly name: "nginx" | "tenfold";
  readonly port: number;
  readonly process: Started;
}

interface Turn {
  /** Of one seek; of a stream per MiB. */
  readonly ms: number;
  readonly cpuMs: number;
}

type Turns = Map<string, Turn[]>;

const { rounds, seeks, streamMiB } = options({ rounds: 5, seeks: 60, streamMiB: 96 });

await withFolder(async (folder) => {
  const origin = await startOrigin(folder);
  const contestants = [await startNginx(folder, origin), await startTenfold(folder, origin)];
  for (const contestant of contestants)
    for (let turn = 0; turn < WARM_UPS; turn++) await measure(contestant, "warm seek", rounds);
  const turns: Turns = new Map();
  for (let round = 0; round < rounds; round++) {
    for (const work of WORK) {
      for (let place = 0; place < contestants.length; place++) {
        const contestant = contestants[(round + place) % contestants.length]!;
        const key = `${work} ${contestant.name}`;
        turns.set(key, [...(turns.get(key) ?? []), await measure(contestant, work, round)]);
      }
    }
  }
  show(turns);
  const verdicts = WORK.flatMap((work) => [verdict(turns, work, "ms"), verdict(turns, work, "cpuMs")]);
  console.log("");
  conclude("edge-slice", verdicts, Object.fromEntries(turns));
});

/** Does the work in a file of the round's own name, so that what is cold is cold in each round. */
async function measure({ port, process }: Contestant, work: string, round: number): Promise<Turn> {
  const isSeek = work.endsWith("seek");
  const url = `http://127.0.0.1:${port}/${isSeek ? "seek" : "stream"}/${round}`;
  await pause(SETTLE_MS);
  const before = cpuOf(process.pid);
  const startMs = performance.now();
  const count = isSeek ? seeks * (work.startsWith("warm") ? WARM_TIMES : 1) : streamMiB;
  if (isSeek) for (let i = 0; i < count; i++) await read(url, offsetOf(i % seeks), SEEK_BYTES);
  else await read(url, 0, streamMiB * MIB);
  const ms = performance.now() - startMs;
  const after = cpuOf(process.pid);
  const cpuMs = after.userMs + after.systemMs - before.userMs - before.systemMs;
  return { ms: ms / count, cpuMs: cpuMs / count };
}

/** Each seek in a slice of its own. */
function offsetOf(i: number): number {
  return ((i * 617) % (FILE_BYTES / MIB)) * MIB + 12_345;
}

async function read(url: string, first: number, length: number): Promise<void> {
  const response = await fetch(url, { headers: { range: `bytes=${first}-${first + length - 1}` } });
  let bytes = 0;
  for await (const chunk of response.body ?? []) bytes += chunk.length;
  if (response.status !== 206 || bytes !== length)
    throw new Error(`${url}: ${response.status}, ${bytes} bytes`);
}

/** Any path is the same sparse file. */
async function startOrigin(folder: string): Promise<number> {
  const file = join(folder, "large");
  writeFileSync(file, "");
  truncateSync(file, FILE_BYTES);
  const server = `root ${folder}; add_header Cache-Control "max-age=3600"; location / { rewrite ^ /large break; }`;
  return (await startServer("origin", folder, ORIGIN_CORE, { server })).port;
}

async function startNginx(folder: string, origin: number): Promise<Contestant> {
  const cache = `proxy_cache_path ${folder}/cache levels=1:2 keys_zone=web:64m max_size=2g inactive=1h use_temp_path=off;`;
  const upstream = `upstream origin { server 127.0.0.1:${origin}; keepalive 64; }`;
  const server = `
    location / {
      slice 1m; proxy_cache web; proxy_cache_key $uri$slice_range; proxy_set_header Range $slice_range;
      proxy_cache_valid 200 206 1h; proxy_cache_lock on;
      proxy_pass http://origin; proxy_http_version 1.1; proxy_set_header Connection "";
    }`;
  const started = await startServer("nginx", folder, CACHE_CORE, { http: `${cache} ${upstream}`, server });
  return { name: "nginx", ...started };
}

async function startServer(
  name: string,
  folder: string,
  core: number,
  { http = "", server }: { readonly http?: string; readonly server: string },
): Promise<{ readonly port: number; readonly process: Started }> {
  const port = freePort();
  const path = join(folder, `${name}.conf`);
  const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map(
    (kind) => `${kind}_temp_path ${folder}/${name}-${kind};`,
  );
  writeFileSync(
    path,
    `
user root; worker_processes 1; daemon off; pid ${folder}/${name}.pid;
events { worker_connections 1024; }
http {
  access_log off; keepalive_requests 100000000; sendfile on; ${temporary.join(" ")} ${http}
  server { listen 127.0.0.1:${port}; ${server} }
}
`,
  );
  const argv = ["nginx", "-p", folder, "-c", path, "-e", join(folder, `${name}-error.log`)];
  return { port, process: await launchListening({ name, argv, folder, core }, port) };
}

async function startTenfold(folder: string, origin: number): Promise<Contestant> {
  const port = freePort();
  const argv = gatewayWorker(folder, {
    admin: { address: "127.0.0.1:0" },
    gateway: { workers: 1, accessLog: "off", cache: { memory: "2GiB" } },
    listeners: {
      web: { address: `127.0.0.1:${port}`, rules: [{ forward: "origin", cache: { slice: "1MiB" } }] },
    },
    targetGroups: { origin: { targets: [{ address: `127.0.0.1:${origin}` }] } },
  });
  return {
    name: "tenfold",
    port,
    process: await launchListening({ name: "tenfold", argv, folder, core: CACHE_CORE }, port),
  };
}

function show(turns: Turns): void {
  const rows = [["work", "ms", "CPU ms"]];
  for (const [key, of] of turns) {
    const spread = (pick: (turn: Turn) => number): string => showSpread(spreadOf(of.map(pick)));
    rows.push([key, spread((turn) => turn.ms), spread((turn) => turn.cpuMs)]);
  }
  console.log(`per seek, and per MiB of a stream of ${streamMiB} MiB; ${rounds} rounds`);
  console.log(showTable(rows));
}

/** The bound is what a worker in JavaScript may cost beside a peer in C. */
function verdict(turns: Turns, work: (typeof WORK)[number], figure: keyof Turn): Verdict {
  const of = (name: string): number[] => (turns.get(`${work} ${name}`) ?? []).map((turn) => turn[figure]);
  const spread = ratioOf(of("tenfold"), of("nginx"));
  const what = figure === "ms" ? "time" : "CPU";
  return {
    claim: `a ${work}: ${what} at most 1.5x`,
    figure: `${showSpread(spread)}x nginx`,
    met: spread.median <= 1.5,
  };
}
