/**
 * The origin dies, and later hangs, under load: what do clients of cached paths get, and how long do they wait?
 *
 *     bin/bun bench/edge-origin-down.ts [--clients 32] [--seconds 4]
 */
import { createServer, type Server } from "node:http";
import { options } from "./harness/arguments.ts";
import { startCachedGateway } from "./harness/gateway-worker.ts";
import { KeepAliveClient } from "./harness/keep-alive-client.ts";
import { withFolder } from "./harness/process.ts";
import { conclude } from "./harness/results.ts";
import { freePort, pause } from "./harness/wait.ts";

const { clients, seconds } = options({ clients: 32, seconds: 4 });

const WORKERS = 2;
const URLS = 50;

/** What the rule says, and what the timers of the gateway may add to it. */
const SOFT_TIMEOUT_MS = 500;
const TICK_MS = 150;

interface Tally {
  answers: number;
  other: number;
  longestMs: number;
}

await withFolder(async (folder) => {
  const originPort = freePort();
  let origin = await listen(originPort, "answers");
  const port = await startCachedGateway(folder, {
    origin: originPort,
    workers: WORKERS,
    cache: { softTimeout: `${SOFT_TIMEOUT_MS}ms`, staleIfError: "1h" },
  });
  const all = await Promise.all(Array.from({ length: clients }, () => KeepAliveClient.connect(port)));

  const well = await load(all);
  await close(origin);
  const dead = await load(all);
  origin = await listen(originPort, "hangs");
  const hanging = await load(all);
  await close(origin);
  origin = await listen(originPort, "answers");
  await pause(2000);
  const again = await load(all);
  for (const client of all) client.end();
  await close(origin);
  const verdict = (what: string, { answers, other, longestMs }: Tally) => ({
    claim: `${what}: every cached path answers 200, and nobody waits longer than the soft timeout of ${SOFT_TIMEOUT_MS} ms by more than ${TICK_MS} ms`,
    figure: `${answers} answers, ${other} others, longest ${longestMs.toFixed(0)} ms`,
    met: answers > 0 && other === 0 && longestMs <= SOFT_TIMEOUT_MS + TICK_MS,
  });
  conclude(
    "edge-origin-down",
    [
      verdict("origin well", well),
      verdict("origin killed", dead),
      verdict("origin hangs", hanging),
      verdict("origin back", again),
    ],
    { well, dead, hanging, again },
  );
});
process.exit();

/** Fresh for a second, so that everything is stale soon after the origin has gone. */
function listen(port: number, how: "answers" | "hangs"): Promise<Server> {
  const server = createServer({ keepAlive: true }, (_, response) => {
    if (how === "hangs") return;
    response.writeHead(200, { "cache-control": "max-age=1", "content-length": 2, etag: '"1"' }).end("ok");
  });
  return new Promise((resolve) => {
    server.listen(port, "127.0.0.1", 4096, () => resolve(server));
  });
}

function close(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}

async function load(all: readonly KeepAliveClient[]): Promise<Tally> {
  const tally: Tally = { answers: 0, other: 0, longestMs: 0 };
  const end = performance.now() + seconds * 1000;
  const walk = async (client: KeepAliveClient, first: number): Promise<void> => {
    for (let step = first; performance.now() < end; step++) {
      const start = performance.now();
      const body = await client.get(`/page-${step % URLS}`);
      tally.longestMs = Math.max(tally.longestMs, performance.now() - start);
      if (body === "ok") tally.answers++;
      else tally.other++;
      await pause(5);
    }
  };
  await Promise.all(all.map((client, index) => walk(client, index)));
  return tally;
}
