/**
 * The codec beside Node's own parser (llhttp): for messages that RFC 9112 allows, both must read the same method,
 * target, fields and body. Node runs in a process of its own and gets all messages at once.
 */
import { expect, test } from "bun:test";
import { type Random, seededRandom } from "../../base/index.ts";
import { text } from "../bytes.ts";
import { ChunkedScanner } from "./chunked.ts";
import { RequestHead } from "./request-head.ts";

/** What a parser made of one request. */
interface Reading {
  method: string;
  target: string;
  minorVersion: number;
  fields: string[];
  body: string;
}

/** Reads Latin-1 messages from a JSON array on stdin, writes their readings; an error's code for one it refuses. */
const NODE_READER = `
const { createServer } = require("node:http");
const { Duplex } = require("node:stream");
const messages = JSON.parse(require("node:fs").readFileSync(0, "utf8"));
const readings = [];
function read(at) {
  if (at === messages.length) return process.stdout.write(JSON.stringify(readings));
  const next = (reading) => { readings.push(reading); setImmediate(read, at + 1); };
  const server = createServer((request, response) => {
    const body = [];
    request.on("data", (data) => body.push(data));
    request.on("end", () => next({
      method: request.method, target: request.url, minorVersion: request.httpVersionMinor,
      fields: request.rawHeaders, body: Buffer.concat(body).toString("latin1"),
    }));
  });
  server.on("clientError", (error) => next(error.code));
  const socket = new Duplex({ read() {}, write: (data, encoding, done) => done() });
  server.emit("connection", socket);
  socket.push(Buffer.from(messages[at], "latin1"));
}
read(0);
`;

function readingsOfNode(messages: readonly string[]): (Reading | string)[] {
  const stdin = Buffer.from(JSON.stringify(messages));
  const { stdout, stderr, exitCode } = Bun.spawnSync(["node", "-e", NODE_READER], { stdin });
  if (exitCode !== 0) throw new Error(`node: ${stderr.toString()}`);
  return JSON.parse(stdout.toString()) as (Reading | string)[];
}

function ourReading(message: string): Reading | string {
  const bytes = Buffer.from(message, "latin1");
  const head = new RequestHead();
  const bodyStart = head.parse(bytes, 0, bytes.length);
  if (bodyStart <= 0) return head.error ?? "incomplete";
  const { fields } = head;
  const names = Array.from({ length: fields.count }, (_, i) => [
    text(bytes, fields.nameStart[i]!, fields.nameEnd[i]!),
    text(bytes, fields.valueStart[i]!, fields.valueEnd[i]!),
  ]);
  return {
    method: text(bytes, head.methodStart, head.methodEnd),
    target: head.target(bytes),
    minorVersion: head.minorVersion,
    fields: names.flat(),
    body:
      head.bodyKind === "chunked"
        ? dataOf(bytes, bodyStart)
        : text(bytes, bodyStart, bodyStart + head.contentLength),
  };
}

function dataOf(bytes: Buffer, start: number): string {
  const scanner = new ChunkedScanner("data");
  scanner.scan(bytes, start, bytes.length);
  const pieces = Array.from({ length: scanner.segmentCount }, (_, i) =>
    text(bytes, scanner.segments[i * 2]!, scanner.segments[i * 2 + 1]!),
  );
  return pieces.join("");
}

const METHODS = ["GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "PROPFIND", "M-SEARCH"];
const TOKEN = "abcXYZ019!#$%&'*+-.^_`|~";
const PATH = "abcXYZ019/?&=%.-_~!$'()*+,;:@[]|\\^`{}\"<>";
const VALUE = 'abcXYZ 019\t,;:="/\\()<>@?{}[]\x80\x85\xa0\xe9\xff';

/** A valid request with random parts. */
function generate(random: Random): string {
  const pick = (from: string | string[]): string => from[Math.floor(random() * from.length)] ?? "";
  const many = (alphabet: string, max: number): string =>
    Array.from({ length: Math.floor(random() * max) }, () => pick(alphabet)).join("");
  const fields = Array.from(
    { length: Math.floor(random() * 8) },
    () => `x${many(TOKEN, 12)}:${many(VALUE, 30)}`,
  );
  const body = many(VALUE, 60);
  const chunk = `${body.length.toString(16)}\r\n${body}\r\n`;
  const framing = pick(["none", "length", "chunked"]);
  if (framing === "length") fields.push(`${pick(["Content-Length", "content-length"])}: ${body.length}`);
  if (framing === "chunked") fields.push(`Transfer-Encoding: ${pick(["chunked", "Chunked"])}`);
  const head = [
    `${pick(METHODS)} /${many(PATH, 40)} HTTP/1.1`,
    `Host: ${pick(["a", "a.b:80", "[::1]:8080"])}`,
    ...fields,
    "\r\n",
  ];
  const bodies = { none: "", length: body, chunked: `${body === "" ? "" : chunk}0\r\n\r\n` };
  return head.join("\r\n") + bodies[framing as keyof typeof bodies];
}

test("valid requests are read as Node reads them", () => {
  const random = seededRandom(11);
  const messages = Array.from({ length: 500 }, () => generate(random));
  const theirs = readingsOfNode(messages);
  expect(theirs.filter((reading) => typeof reading === "string")).toEqual([]);
  const ours: unknown[] = messages.map(ourReading);
  messages.forEach((message, i) => expect([message, ours[i]]).toEqual([message, theirs[i]]));
});
