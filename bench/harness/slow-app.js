// A target whose every answer takes 50 ms of waiting: by Little's law, requests in flight are rate x 0.05 s.
import { createServer } from "node:http";

const ANSWER_MS = 50;

const server = createServer((request, response) => {
  if (request.url === "/healthz") return response.end("ready");
  return setTimeout(() => response.end("done"), ANSWER_MS);
});

process.on("SIGTERM", () => server.close(() => process.exit(0)));
server.listen(Number(process.env.PORT), "127.0.0.1");
