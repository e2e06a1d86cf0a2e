// A link shortener: HTTP for links, WebSocket for live click counts. Plain Node.
//
// It is what a load balancer likes: it listens on $PORT, says when it is ready, keeps nothing to itself that another copy
// would need, and on SIGTERM finishes what it began.
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { openFileStore } from "./file-store.js";
import { openSharedStore } from "./shared-store.js";
import { acceptWebSocket } from "./websocket.js";

const PAGE = readFileSync(new URL("page.html", import.meta.url));
const BODY_BYTES_MAX = 16 * 1024;
const RECENT_SHOWN = 20;

/** How long a stop may take before what is left is cut off; below the supervisor's 10 s, so that we are not killed. */
const STOP_MS = 8000;

// With a store that all copies share, on however many machines, or alone with a file.
const sharedUrl = process.env.TENFOLD_STORE_SHARED_URL;
const store = sharedUrl
  ? openSharedStore(sharedUrl)
  : await openFileStore(process.env.DATA_DIR ?? new URL("data", import.meta.url).pathname);
const channels = new Set();
let stopping = false;

/** Method and path -> answer. The first row that matches wins. */
const ROUTES = [
  ["GET", /^\/$/, () => [200, PAGE, { "content-type": "text/html; charset=utf-8" }]],
  [
    "GET",
    /^\/healthz$/,
    () => [stopping ? 503 : 200, { status: stopping ? "stopping" : "ready", pid: process.pid }],
  ],
  ["GET", /^\/api\/links$/, async () => [200, await store.recent(RECENT_SHOWN)]],
  ["POST", /^\/api\/links$/, createLink],
  ["GET", /^\/api\/links\/([\w-]+)$/, showLink],
  ["GET", /^\/([\w-]+)$/, followLink],
];

async function createLink(request) {
  const url = String(JSON.parse(await readBody(request))?.url);
  if (!/^https?:/.test(url) || !URL.canParse(url)) return problem(422, "url: give an http or https address");
  const link = await store.add(url);
  return [201, link, { location: `/api/links/${link.code}` }];
}

async function showLink(_request, code) {
  const link = await store.find(code);
  return link ? [200, link] : problem(404, `no link "${code}"`);
}

async function followLink(_request, code) {
  const link = await store.find(code);
  if (!link) return problem(404, `no link "${code}"`);
  await store.click(link);
  return [302, "", { location: link.url, "cache-control": "no-store" }];
}

function problem(status, error) {
  return [status, { error }];
}

async function readBody(request) {
  let body = "";
  for await (const chunk of request.setEncoding("utf8")) {
    body += chunk;
    if (body.length > BODY_BYTES_MAX) throw Object.assign(new Error("body too large"), { status: 413 });
  }
  return body;
}

async function answer(request) {
  const [pathname] = request.url.split("?");
  const method = request.method === "HEAD" ? "GET" : request.method;
  for (const [verb, path, run] of ROUTES) {
    const match = verb === method && path.exec(pathname);
    if (match) return run(request, ...match.slice(1));
  }
  return problem(404, `nothing at ${method} ${pathname}`);
}

function failure(error) {
  if (error instanceof SyntaxError) return problem(400, `body: ${error.message}`);
  return problem(error.status ?? 500, error.message);
}

async function serve(request, response) {
  const [status, body, headers = {}] = await answer(request).catch(failure);
  const plain = typeof body === "string" || Buffer.isBuffer(body);
  const content = plain ? body : `${JSON.stringify(body)}\n`;
  response.writeHead(status, {
    "content-type": "application/json",
    "content-length": Buffer.byteLength(content),
    "x-served-by": process.pid,
    ...(stopping && { connection: "close" }),
    ...headers,
  });
  response.end(request.method === "HEAD" ? undefined : content);
}

const server = createServer((request, response) => void serve(request, response));

server.on("upgrade", (request, socket, head) => {
  const channel = acceptWebSocket(request, socket, head);
  if (!channel) return;
  channels.add(channel);
  const unwatch = store.watch((link) => channel.send(JSON.stringify(link)));
  channel.onClose(() => channels.delete(channel) && unwatch());
});

/** Stops accepting, lets requests in flight end, tells WebSockets to come back elsewhere, writes what is unwritten. */
function stop() {
  if (stopping) return;
  stopping = true;
  server.close(() => void store.close().then(() => process.exit(0)));
  for (const channel of channels) channel.close(1001); // "going away": the page reconnects to another copy
  setTimeout(() => process.exit(1), STOP_MS).unref();
}

process.on("SIGTERM", stop);
process.on("SIGINT", stop);
server.listen(Number(process.env.PORT ?? 3000), "127.0.0.1", () => {
  const kept = sharedUrl ? "in the shared store" : "in a file: no TENFOLD_STORE_SHARED_URL is set";
  console.log(`links: http://127.0.0.1:${server.address().port} (pid ${process.pid}), kept ${kept}`);
});
