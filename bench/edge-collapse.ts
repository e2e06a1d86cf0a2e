/**
 * A thousand clients miss the same object at once, over four workers: how many requests reach the origin, and do all
 * clients get the beginning before the origin has sent the end? Then the same with an object that may not be kept:
 * is anybody held up?
 *
 *     bin/bun bench/edge-collapse.ts [--clients 1000] [--workers 4]
 */
import { createServer, type ServerResponse } from "node:http";
import { connect, type Socket } from "node:net";
import { options } from "./harness/arguments.ts";
import { startCachedGateway } from "./harness/gateway-worker.ts";
import { withFolder } from "./harness/process.ts";
import { conclude } from "./harness/results.ts";
import { until } from "./harness/wait.ts";

const { clients, workers } = options({ clients: 1000, workers: 4 });

/** Sent at once; the rest when every client has some of it. */
const FIRST_BYTES = 64 * 1024;
const REST_BYTES = 192 * 1024;

const DEADLINE_MS = 20_000;

/** How long the origin takes over an answer that may not be kept. */
const THINK_MS = 200;

interface Client {
  readonly socket: Socket;
  received: number;
}

const waiting: ServerResponse[] = [];
let requests = 0;

await withFolder(async (folder) => {
  const origin = await startOrigin();
  const port = await startCachedGateway(folder, { origin, workers });
  const shared = await ask(port, "/shared");
  const started = await count(shared, FIRST_BYTES / 2);
  for (const response of waiting.splice(0)) response.end(Buffer.alloc(REST_BYTES, "b"));
  const whole = await count(shared, FIRST_BYTES + REST_BYTES);
  const asked = requests;
  hangUp(shared);

  requests = 0;
  const startedMs = performance.now();
  const alone = await ask(port, "/private");
  const answered = await count(alone, 1);
  const tookMs = performance.now() - startedMs;
  hangUp(alone);
  conclude(
    "edge-collapse",
    [
      {
        claim: `${clients} concurrent misses over ${workers} workers: one request to the origin`,
        figure: `${asked}`,
        met: asked === 1,
      },
      {
        claim: "every client has its first bytes before the origin sends the last",
        figure: `${started} of ${clients}`,
        met: started === clients,
      },
      { claim: "every client gets the whole", figure: `${whole} of ${clients}`, met: whole === clients },
      {
        claim: `${clients} requests for what may not be kept, ${THINK_MS} ms each, are not queued behind each other`,
        figure: `${answered} answered in ${tookMs.toFixed(0)} ms`,
        met: answered === clients && tookMs < THINK_MS * 20,
      },
    ],
    { asked, started, whole, answered, tookMs },
  );
});
process.exit();

function startOrigin(): Promise<number> {
  const server = createServer({ keepAlive: true }, (request, response) => {
    requests++;
    if (request.url === "/private") {
      setTimeout(() => response.writeHead(200, { "cache-control": "private" }).end("mine"), THINK_MS);
      return;
    }
    response.writeHead(200, { "cache-control": "max-age=60", "content-length": FIRST_BYTES + REST_BYTES });
    response.write(Buffer.alloc(FIRST_BYTES, "a"));
    waiting.push(response);
  });
  return new Promise((resolve) => {
    server.listen(0, "127.0.0.1", 4096, () => {
      const address = server.address();
      resolve(typeof address === "object" && address !== null ? address.port : 0);
    });
  });
}

async function ask(port: number, path: string): Promise<Client[]> {
  const all = Array.from({ length: clients }, (): Client => {
    const client: Client = { socket: connect(port, "127.0.0.1"), received: 0 };
    client.socket.on("data", (chunk: Buffer) => {
      client.received += chunk.length;
    });
    client.socket.on("error", () => {});
    return client;
  });
  await until("the clients to connect", DEADLINE_MS, () =>
    Promise.resolve(all.every(({ socket }) => !socket.connecting)),
  );
  for (const { socket } of all) socket.write(`GET ${path} HTTP/1.1\r\nHost: bench.test\r\n\r\n`);
  return all;
}

/** How many have so many bytes, as soon as all do or the deadline has passed. */
async function count(all: readonly Client[], bytes: number): Promise<number> {
  const have = (): number => all.filter(({ received }) => received >= bytes).length;
  await until("the clients", DEADLINE_MS, () => Promise.resolve(have() === all.length)).catch(() => {});
  return have();
}

function hangUp(all: readonly Client[]): void {
  for (const { socket } of all) socket.destroy();
}
