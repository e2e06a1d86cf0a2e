// An origin on plain node:http: it answers as the request's X-Answer field says, and tells in the body what it got.
import { createServer } from "node:http";

const server = createServer((request, response) => {
  const pieces = [];
  request.on("data", (piece) => pieces.push(piece));
  request.on("end", () => {
    const { status, fields, framing } = JSON.parse(request.headers["x-answer"] ?? "{}");
    const seen = JSON.stringify({
      method: request.method,
      target: request.url,
      fields: pairs(request.rawHeaders),
      trailers: pairs(request.rawTrailers),
      body: Buffer.concat(pieces).toString("latin1"),
    });
    const length = framing === "length" ? { "Content-Length": Buffer.byteLength(seen) } : {};
    response.writeHead(status ?? 200, { ...fields, ...length });
    response.write(seen.slice(0, 20));
    response.end(seen.slice(20));
  });
});

function pairs(raw) {
  return Array.from({ length: raw.length / 2 }, (_, index) => [
    raw[2 * index].toLowerCase(),
    raw[2 * index + 1],
  ]);
}

server.listen(Number(process.env.PORT), "127.0.0.1");
