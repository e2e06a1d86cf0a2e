// A link shortener: HTTP for links, WebSocket for live click counts. Plain Node; of packages tenfold alone.
//
// It is what a load balancer likes: it listens on $PORT, says when it is ready, keeps nothing that another copy of it
// could not read, and on SIGTERM finishes what it began.
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { createSessions, memoryStore, nodeSessions, openSessionStore } from "tenfold/session";
import { openLinks } from "./links.js";
import { acceptWebSocket } from "./websocket.js";

const PAGE = readFileSync(new URL("page.html", import.meta.url));
const BODY_BYTES_MAX = 16 * 1024;
const MINE_MAX = 20;

/** How long a stop may take before what is left is cut off; below the supervisor's 10 s, so that we are not killed. */
const STOP_MS = 8000;

/** Where all state is: set for each task when the config has a store called "shared", and a database. */
const STORE_URL = process.env.TENFOLD_STORE_SHARED_URL;
const links = await openLinks({ databaseUrl: process.env.TENFOLD_DATABASE_MAIN_URL, storeUrl: STORE_URL });

/** A visitor's session holds the codes of the links that they made. */
const sessions = createSessions({
  store: STORE_URL ? openSessionStore(STORE_URL) : memoryStore(),
  development: process.env.NODE_ENV !== "production", // a cookie for plain http, on localhost alone
  idle: "7d",
  absolute: "7d",
  persistent: true,
});

const channels = new Set();
let stopping = false;

/** Method and path -> answer. The first row that matches wins. */
const ROUTES = [
  ["GET", /^\/$/, () => [200, PAGE, { "content-type": "text/html; charset=utf-8" }]],
  ["GET", /^\/healthz$/, health],
  ["GET", /^\/api\/links$/, async () => [200, await links.recent()]],
  ["GET", /^\/api\/mine$/, listMine],
  ["POST", /^\/api\/links$/, createLink],
  ["GET", /^\/api\/links\/([\w-]+)$/, showLink],
  ["GET", /^\/([\w-]+)$/, followLink],
];

/** Of this process alone: were the store in it, no task would be healthy while it is away, and none could say so. */
function health() {
  return [stopping ? 503 : 200, { status: stopping ? "stopping" : "ready", pid: process.pid }];
}

async function createLink({ request, session }) {
  const url = String(JSON.parse(await readBody(request))?.url);
  if (!/^https?:/.test(url) || !URL.canParse(url)) return problem(422, "url: give an http or https address");
  const link = await links.add(url);
  await session.update("mine", (codes = []) => [link.code, ...codes].slice(0, MINE_MAX));
  return [201, link, { location: `/api/links/${link.code}` }];
}

async function listMine({ session }) {
  if (session.status === "unavailable") return problem(503, "the store of the sessions is away");
  return [200, await links.findAll(session.get("mine") ?? [])];
}

async function showLink(_visit, code) {
  const link = await links.find(code);
  return link ? [200, link] : problem(404, `no link "${code}"`);
}

async function followLink(_visit, code) {
  const link = await links.find(code);
  if (!link) return problem(404, `no link "${code}"`);
  await links.click(link);
  return [302, "", { location: link.url, "cache-control": "no-store" }];
}

function problem(status, error) {
  return [status, { error }, status === 503 ? { "retry-after": "1" } : {}];
}

async function readBody(request) {
  let body = "";
  for await (const chunk of request.setEncoding("utf8")) {
    body += chunk;
    if (body.length > BODY_BYTES_MAX) throw Object.assign(new Error("body too large"), { status: 413 });
  }
  return body;
}

async function answer(visit) {
  const { request } = visit;
  const [pathname] = request.url.split("?");
  const method = request.method === "HEAD" ? "GET" : request.method;
  for (const [verb, path, run] of ROUTES) {
    const match = verb === method && path.exec(pathname);
    if (match) return run(visit, ...match.slice(1));
  }
  return problem(404, `nothing at ${method} ${pathname}`);
}

function failure(error) {
  if (error instanceof SyntaxError) return problem(400, `body: ${error.message}`);
  return problem(error.status ?? 500, error.message);
}

async function serve(request, response, session) {
  const [status, body, headers = {}] = await answer({ request, session }).catch(failure);
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

const server = createServer(nodeSessions(sessions, serve));

server.on("upgrade", (request, socket, head) => {
  const channel = acceptWebSocket(request, socket, head);
  if (!channel) return;
  channels.add(channel);
  const unwatch = links.watch((link) => channel.send(JSON.stringify(link)));
  channel.onClose(() => channels.delete(channel) && unwatch());
});

/** Stops accepting, lets requests in flight end, tells WebSockets to come back elsewhere. */
function stop() {
  if (stopping) return;
  stopping = true;
  server.close(() => process.exit(0));
  for (const channel of channels) channel.close(1001); // "going away": the page reconnects to another copy
  setTimeout(() => process.exit(1), STOP_MS).unref();
}

process.on("SIGTERM", stop);
process.on("SIGINT", stop);
server.listen(Number(process.env.PORT ?? 3000), "127.0.0.1", () => {
  console.log(`links: http://127.0.0.1:${server.address().port} (pid ${process.pid}), links ${links.where}`);
});
