/**
 * What an idle keep-alive connection costs in memory: ours beside nginx and HAProxy.
 *
 * Each proxy is first warmed by a short load, so that growth is not start-up. Then 5,000 connections are opened, each
 * makes one request and stays. Growth of the resident set, after a pause in which garbage can go, is what they cost.
 *
 *     bin/bun bench/idle-memory.ts [--connections 5000] [--proxies nginx,haproxy,tenfold]
 */
import { connect, type Socket } from "node:net";
import { options } from "./harness/arguments.ts";
import { showTable, type Verdict } from "./harness/figures.ts";
import { startOrigin } from "./harness/origin.ts";
import { residentBytesOf } from "./harness/proc.ts";
import { withFolder } from "./harness/process.ts";
import { chosenProxies, type ProxyName, startProxy } from "./harness/proxies.ts";
import { conclude } from "./harness/results.ts";
import { pause } from "./harness/wait.ts";
import { wrk } from "./harness/wrk.ts";

/** Opened at a time: below every listen backlog. */
const BATCH = 100;

/** Time for a collector to run and for freed pages to go back. */
const SETTLE_MS = 3000;

const PROXY_CORE = 0;
const LOAD_CORE = 1;

const { connections, proxies } = options({ connections: 5000, proxies: "nginx,haproxy,tenfold" });

const growth = new Map<ProxyName, number>();
for (const name of chosenProxies(proxies))
  growth.set(name, await withFolder((folder) => measure(name, folder)));

const rows = [...growth].map(([name, bytes]) => [
  name,
  `${(bytes / 2 ** 20).toFixed(1)} MiB`,
  `${(bytes / connections).toFixed(0)} B`,
]);
console.log(showTable([["proxy", `growth for ${connections} idle connections`, "each"], ...rows]));
conclude("idle-memory", verdicts(), Object.fromEntries(growth));

async function measure(name: ProxyName, folder: string): Promise<number> {
  const origin = await startOrigin(folder, 2, LOAD_CORE);
  const { ports, process } = await startProxy(name, folder, [origin.ports], PROXY_CORE);
  await wrk(ports[0]!, 64, 2, LOAD_CORE);
  await pause(SETTLE_MS);
  const before = residentBytesOf(process.pid);
  const sockets = await openIdle(ports[0]!);
  await pause(SETTLE_MS);
  const grown = residentBytesOf(process.pid) - before;
  for (const socket of sockets) socket.destroy();
  return Math.max(grown, 0);
}

async function openIdle(port: number): Promise<Socket[]> {
  const sockets: Socket[] = [];
  while (sockets.length < connections) {
    const size = Math.min(BATCH, connections - sockets.length);
    sockets.push(...(await Promise.all(Array.from({ length: size }, () => openAfterOneRequest(port)))));
  }
  return sockets;
}

/** A connection that has had one answer. */
function openAfterOneRequest(port: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, "127.0.0.1");
    socket.write("GET /feed HTTP/1.1\r\nHost: bench.test\r\n\r\n");
    socket.once("data", () => resolve(socket));
    socket.once("error", reject);
    socket.once("close", () => reject(new Error("a connection was closed instead of kept")));
  });
}

function verdicts(): Verdict[] {
  const [ours, nginx] = [growth.get("tenfold"), growth.get("nginx")];
  if (ours === undefined || nginx === undefined) return [];
  const ratio = ours / nginx;
  const claim = `${connections} idle connections grow memory at most 2x as much as nginx`;
  return [{ claim, figure: `${ratio.toFixed(2)}x`, met: ratio <= 2 }];
}
