/**
 * The disk tier through the gateway as a user runs it: which share of the requests is a hit after `tenfold down` and `up`,
 * after kill -9 of everything, and when the memory is lost besides; how long a hit on disk takes; and what it costs beside
 * nginx's proxy_cache, which serves the same objects from its files.
 *
 * Objects are 4 KiB, and five times what memory holds. The page cache is warm for both. Workers are pinned to core 0; wrk
 * and the origin share core 1.
 *
 *     bin/bun bench/edge-disk-gateway.ts [--objects 8000] [--rounds 6] [--seconds 2]
 */
import { execFile } from "node:child_process";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import type { ControllerFile, Status } from "../src/app/api.ts";
import { options } from "./harness/arguments.ts";
import { startCache } from "./harness/caches.ts";
import { ratioOf, showSpread, showTable, spreadOf, type Verdict } from "./harness/figures.ts";
import { cpuOf } from "./harness/proc.ts";
import { launchListening, withFolder } from "./harness/process.ts";
import { conclude } from "./harness/results.ts";
import { freePort, pause, until } from "./harness/wait.ts";
import { wrk } from "./harness/wrk.ts";

const run = promisify(execFile);
const CLI = join(import.meta.dirname, "../src/cli/main.ts");
const CACHE_CORE = 0;
const LOAD_CORE = 1;
const OBJECT_BYTES = 4096;
const CONNECTIONS = 64;
const LANES = 16;
/** Each object leaves memory twice before it is written, and 16 MiB go out in a second. */
const WARM_ROUNDS_MAX = 12;
const SETTLE_MS = 500;
const HITS_MIN = 0.95;
const DISK_HIT_MS_MAX = 1;
/** A read on the thread pool, a proof, a copy into memory, where nginx has one sendfile. */
const CPU_RATIO_MAX = 3;

const { objects, rounds, seconds } = options({ objects: 8000, rounds: 6, seconds: 2 });

/** What a replay of all objects brought. */
interface Replay {
  readonly hits: number;
  readonly onDisk: number;
  readonly diskP50Ms: number;
}

/** One installation, started and stopped by the CLI. */
class Installation {
  readonly #folder: string;
  readonly port: number;

  private constructor(folder: string, port: number) {
    this.#folder = folder;
    this.port = port;
  }

  static async make(folder: string, origin: number): Promise<Installation> {
    const [port, admin] = [freePort(), freePort()];
    const config = {
      admin: { address: `127.0.0.1:${admin}` },
      gateway: { workers: 1, cache: { memory: "8MiB", disk: "1GiB" } },
      listeners: { web: { address: `127.0.0.1:${port}`, rules: [{ forward: "origin", cache: {} }] } },
      targetGroups: { origin: { targets: [`127.0.0.1:${origin}`] } },
    };
    writeFileSync(join(folder, "tenfold.config.json"), JSON.stringify(config));
    return new Installation(folder, port);
  }

  async command(name: string, ...args: string[]): Promise<void> {
    const state = join(this.#folder, "state");
    await run(process.execPath, [CLI, name, ...args, "--state", state], { cwd: this.#folder });
  }

  async up(): Promise<void> {
    await this.command("up", "-c", "tenfold.config.json", "--detach");
  }

  /** Kills controller and worker with nothing said to them. */
  async kill(): Promise<void> {
    const { pid } = this.#controller();
    const worker = await this.worker();
    process.kill(pid, "SIGKILL");
    process.kill(worker, "SIGKILL");
    await until("both to be gone", 5000, () => !isAlive(pid) && !isAlive(worker));
  }

  async worker(): Promise<number> {
    const token = readFileSync(join(this.#folder, "state", "admin.token"), "utf8").trim();
    const url = `http://${this.#controller().admin}/v1/status`;
    const response = await fetch(url, { headers: { authorization: `Bearer ${token}` } });
    const status: Status = JSON.parse(await response.text());
    return status.gateway.workers[0]?.pid ?? 0;
  }

  loseMemory(): void {
    rmSync(join(this.#folder, "state", "gateway", "cache"));
  }

  #controller(): ControllerFile {
    const file: ControllerFile = JSON.parse(
      readFileSync(join(this.#folder, "state", "controller.json"), "utf8"),
    );
    return file;
  }

  /** Asks for every object once. */
  async replay(): Promise<Replay> {
    let next = 0;
    let hits = 0;
    let onDisk = 0;
    const lane = async (): Promise<void> => {
      while (next < objects) {
        const response = await fetch(`http://127.0.0.1:${this.port}/o?${next++}`);
        const status = response.headers.get("cache-status") ?? "";
        if ((await response.arrayBuffer()).byteLength !== OBJECT_BYTES) throw new Error("a wrong body");
        if (status.includes("; hit")) hits++;
        if (status.includes("detail=disk")) onDisk++;
      }
    };
    await Promise.all(Array.from({ length: LANES }, lane));
    return { hits: hits / objects, onDisk: onDisk / objects, diskP50Ms: await this.#latency() };
  }

  /** One after the other, as a client that is alone sees it. */
  async #latency(): Promise<number> {
    const times: number[] = [];
    for (let object = 0; object < objects; object += 20) {
      const begun = performance.now();
      const response = await fetch(`http://127.0.0.1:${this.port}/o?${object}`);
      await response.arrayBuffer();
      if ((response.headers.get("cache-status") ?? "").includes("detail=disk"))
        times.push(performance.now() - begun);
    }
    return times.length === 0 ? Number.NaN : spreadOf(times).median;
  }
}

await withFolder(async (folder) => {
  const origin = await startOrigin(folder);
  const installation = await Installation.make(folder, origin);
  await installation.up();
  try {
    await measure(folder, origin, installation);
  } finally {
    await installation.command("down");
  }
});

async function measure(folder: string, origin: number, installation: Installation): Promise<void> {
  let before = await installation.replay();
  for (let round = 0; round < WARM_ROUNDS_MAX && before.hits < 1; round++)
    before = await installation.replay();
  await installation.command("down");
  await installation.up();
  const afterDown = await installation.replay();
  await installation.kill();
  await installation.up();
  const afterKill = await installation.replay();
  await installation.command("down");
  installation.loseMemory();
  await installation.up();
  const afterLoss = await installation.replay();
  const { turns, share } = await race(folder, origin, installation);
  const rows = [...turns].map(([name, us]) => [name, showSpread(spreadOf(us), 1)]);
  console.log(showTable([["cache", "CPU us/req"], ...rows]));
  const ratio = ratioOf(turns.get("tenfold") ?? [], turns.get("nginx") ?? []).median;
  const verdicts: Verdict[] = [
    kept("tenfold down and up", before, afterDown),
    kept("kill -9 of controller and worker", before, afterKill),
    kept("down, and up without what memory held", before, afterLoss),
    {
      claim: `a hit on disk takes less than ${DISK_HIT_MS_MAX} ms when nothing else is asked`,
      figure: `${afterLoss.diskP50Ms.toFixed(2)} ms, the client's own part included`,
      met: afterLoss.diskP50Ms < DISK_HIT_MS_MAX,
    },
    {
      claim: `a hit on disk costs at most ${CPU_RATIO_MAX}x the CPU of nginx's proxy_cache`,
      figure: `${ratio.toFixed(2)}x, ${(share * 100).toFixed(0)} % of the requests from disk`,
      met: ratio <= CPU_RATIO_MAX,
    },
  ];
  conclude("edge-disk-gateway", verdicts, {
    objects,
    before,
    afterDown,
    afterKill,
    afterLoss,
    share,
    cpuUs: Object.fromEntries(turns),
  });
}

/** CPU of a request, in turns; and which share of ours came from disk. */
async function race(
  folder: string,
  origin: number,
  installation: Installation,
): Promise<{ readonly turns: Map<string, number[]>; readonly share: number }> {
  const nginx = await startCache("nginx", folder, origin, CACHE_CORE);
  const worker = await installation.worker();
  const pin = ["taskset", "-a", "-cp", String(CACHE_CORE), String(worker)];
  if (Bun.spawnSync(pin).exitCode !== 0) throw new Error("the worker cannot be pinned to a core");
  const contestants = [
    { name: "tenfold", port: installation.port, pid: worker },
    { name: "nginx", port: nginx.port, pid: nginx.process.pid },
  ];
  const ask = (port: number) => wrk(port, CONNECTIONS, seconds, LOAD_CORE, { path: "/o", cycle: objects });
  for (const { port } of contestants) for (let warmUp = 0; warmUp < 3; warmUp++) await ask(port);
  const turns = new Map<string, number[]>(contestants.map(({ name }) => [name, []]));
  for (let round = 0; round < rounds; round++) {
    for (const { name, port, pid } of round % 2 === 0 ? contestants : contestants.toReversed()) {
      const from = cpuOf(pid);
      const { requests } = await ask(port);
      await pause(SETTLE_MS);
      const to = cpuOf(pid);
      const cpuMs = to.userMs + to.systemMs - from.userMs - from.systemMs;
      turns.get(name)?.push((cpuMs * 1000) / requests);
    }
  }
  return { turns, share: (await installation.replay()).onDisk };
}

function kept(after: string, before: Replay, now: Replay): Verdict {
  const percent = (share: number): string => `${(share * 100).toFixed(1)} %`;
  return {
    claim: `at least ${percent(HITS_MIN)} of the hits are hits after ${after}`,
    figure: `${percent(now.hits)} of the requests, ${percent(before.hits)} before; ${percent(now.onDisk)} from disk`,
    met: now.hits >= before.hits * HITS_MIN && before.hits > HITS_MIN,
  };
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

/** nginx with the same 4 KiB for whatever it is asked, fresh for an hour. */
async function startOrigin(folder: string): Promise<number> {
  const port = freePort();
  writeFileSync(join(folder, "object"), "x".repeat(OBJECT_BYTES));
  const path = join(folder, "origin.conf");
  writeFileSync(
    path,
    `
user root; worker_processes 1; daemon off; pid ${folder}/origin.pid; worker_rlimit_nofile 16384;
events { worker_connections 16384; }
http {
  access_log off; keepalive_requests 100000000; keepalive_timeout 300s; default_type image/png; open_file_cache max=10;
  server {
    listen 127.0.0.1:${port} reuseport backlog=4096; root ${folder};
    location / { add_header Cache-Control "max-age=3600"; rewrite ^ /object break; }
  }
}
`,
  );
  const argv = ["nginx", "-p", folder, "-c", path, "-e", join(folder, "origin-error.log")];
  await launchListening({ name: "origin", argv, folder, core: LOAD_CORE }, port);
  return port;
}
