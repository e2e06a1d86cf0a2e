/**
 * Seeded mutants of valid messages, and the one question asked of each: if we let it through, is what we forward
 * read in one way only?
 *
 * The reader on the other side is played by the simplest parser that could be written: split at CRLF, split at the
 * first colon. It shares no code with ours, so the two agree only when the message is plain.
 */
import { type Random, seededRandom } from "../../../base/index.ts";
import { buildForwardedBlock } from "../../forwarded.ts";
import { METHOD } from "../../methods.ts";
import { writeForwardedRequest } from "../forward-request.ts";
import { writeForwardedResponse } from "../forward-response.ts";
import { RequestHead } from "../request-head.ts";
import { ResponseHead } from "../response-head.ts";
import { bytesOf, requestContext, responseContext } from "../testing.ts";

/** How many mutants were tried, and how many of them went through. */
export interface MutantCount {
  tried: number;
  forwarded: number;
  refused: number;
  incomplete: number;
}

const REQUESTS: readonly string[] = [
  "GET / HTTP/1.1\r\nHost: a\r\n\r\n",
  "POST /a?b=c HTTP/1.1\r\nHost: a.b:80\r\nContent-Length: 10\r\nX: y\r\n\r\n",
  "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nConnection: close, X\r\nX: y\r\n\r\n",
  "GET http://a.b:80/c?d HTTP/1.1\r\nHost: a.b:80\r\nConnection: keep-alive\r\nCookie: e=f\r\n\r\n",
  "GET / HTTP/1.0\r\nConnection: keep-alive\r\nX-Forwarded-For: 10.0.0.1\r\nTE: trailers\r\n\r\n",
  "GET /ws HTTP/1.1\r\nHost: [::1]:8080\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n",
  "OPTIONS * HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 0\r\nVia: 1.1 p\r\n\r\n",
];

const RESPONSES: readonly string[] = [
  "HTTP/1.1 200 OK\r\nContent-Length: 10\r\nConnection: keep-alive\r\nKeep-Alive: timeout=5\r\n\r\n",
  "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nSet-Cookie: a=b\r\n\r\n",
  "HTTP/1.0 404 Not Found\r\nServer: x\r\n\r\n",
  "HTTP/1.1 204\r\nConnection: X\r\nX: y\r\n\r\n",
];

/** What mutation likes to put in: the bytes and words that smuggling is made of. */
const FRAGMENTS: readonly string[] = [
  "\r",
  "\n",
  "\r\n",
  "\n\n",
  "\0",
  " ",
  "\t",
  ":",
  ",",
  ";",
  "\x0b",
  "\xa0",
  "\x85",
  "0",
  "-",
  "+",
  "_",
  "0x",
  "chunked",
  "\r\nContent-Length: 5",
  "\r\nTransfer-Encoding: chunked",
  "\r\nHost: b",
  "\r\n X: y",
  "http://",
  "@",
  "#",
  "HTTP/1.1",
  "\r\nConnection: Host, Content-Length",
  "\r\nContent_Length: 3",
  "\r\nTransfer-Encoding : chunked",
];

/** One to three changes: a byte replaced, removed or doubled, a fragment put in, a piece moved. */
function mutate(text: string, random: Random): string {
  let mutant = text;
  for (let changes = 1 + Math.floor(random() * 3); changes > 0; changes--) {
    const at = Math.floor(random() * mutant.length);
    const fragment = FRAGMENTS[Math.floor(random() * FRAGMENTS.length)] ?? "";
    const byte = String.fromCharCode(Math.floor(random() * 256));
    const [insert, skip] = [
      [byte, 1],
      ["", 1],
      [mutant.slice(at, at + 1 + Math.floor(random() * 30)), 0],
      [fragment, 0],
      [fragment, 1],
    ][Math.floor(random() * 5)] as [string, number];
    mutant = mutant.slice(0, at) + insert + mutant.slice(at + skip);
  }
  return mutant;
}

const HOP_BY_HOP = /^(keep-alive|te|trailer|proxy-(connection|authorization|authenticate))$/m;
const LOOKALIKE = /^(content_length|transfer_encoding|x_forwarded[-_]for|x-forwarded_for|keep_alive)$/m;

const context = requestContext({
  forwarded: buildForwardedBlock({ clientIp: "192.0.2.7", proto: "http", fields: "both", name: "tenfold" }),
  requestId: bytesOf("id"),
});
const request = new RequestHead();
const response = new ResponseHead();
const again = new RequestHead();
const responseAgain = new ResponseHead();
const out = Buffer.alloc(16384);

/** Tries `count` mutants of requests. Throws with the seed and the mutant when one goes through unsafely. */
export function checkMutants(count: number, seed: number): MutantCount {
  return tally(count, seed, REQUESTS, checkRequest);
}

/** The same for responses. */
export function checkResponseMutants(count: number, seed: number): MutantCount {
  return tally(count, seed, RESPONSES, checkResponse);
}

function tally(
  count: number,
  seed: number,
  originals: readonly string[],
  check: (raw: string) => number,
): MutantCount {
  const random = seededRandom(seed);
  const total: MutantCount = { tried: 0, forwarded: 0, refused: 0, incomplete: 0 };
  for (; total.tried < count; total.tried++) {
    const raw = mutate(originals[Math.floor(random() * originals.length)] ?? "", random);
    try {
      const consumed = check(raw);
      if (consumed > 0) total.forwarded++;
      else if (consumed < 0) total.refused++;
      else total.incomplete++;
    } catch (error) {
      throw new Error(`seed ${seed}, mutant ${total.tried}: ${JSON.stringify(raw)}`, { cause: error });
    }
  }
  return total;
}

function checkRequest(raw: string): number {
  const bytes = bytesOf(raw);
  const consumed = request.parse(bytes, 0, bytes.length);
  assert(consumed <= bytes.length, "consumes more than there is");
  if (consumed <= 0) return consumed;
  context.upgrade = request.upgrade;
  const end = writeForwardedRequest(request, bytes, out, 0, context);
  const plain = readPlainly(out.toString("latin1", 0, end));
  checkFraming(plain, request.bodyKind, request.contentLength);
  assert(/^[^ a-z]+ [!-~]+ HTTP\/1\.1$/.test(plain.line), "has a plain request line");
  assert(valuesOf(plain, "host").length === 1, "has one Host");
  assert(!HOP_BY_HOP.test(namesOf(plain)), "has no hop-by-hop field");
  assert(!LOOKALIKE.test(namesOf(plain)), "has no lookalike");
  assert(valuesOf(plain, "x-forwarded-for").join() === "192.0.2.7", "names the client itself");
  assert(again.parse(out, 0, end) === end, "is accepted by ourselves");
  assert(
    again.bodyKind === request.bodyKind && again.method === request.method,
    "means the same to ourselves",
  );
  return consumed;
}

function checkResponse(raw: string): number {
  const bytes = bytesOf(raw);
  const consumed = response.parse(bytes, 0, bytes.length, METHOD.get);
  assert(consumed <= bytes.length, "consumes more than there is");
  if (consumed <= 0) return consumed;
  const close = response.bodyKind === "until-close";
  const end = writeForwardedResponse(response, bytes, out, 0, responseContext({ close }));
  const plain = readPlainly(out.toString("latin1", 0, end));
  assert(/^HTTP\/1\.1 [0-9]{3} [^\r\n\0]*$/.test(plain.line), "has a plain status line");
  if (response.status >= 200 && response.status !== 304) {
    checkFraming(plain, response.bodyKind, response.contentLength);
  }
  assert(responseAgain.parse(out, 0, end, METHOD.get) === end, "is accepted by ourselves");
  assert(responseAgain.bodyKind === response.bodyKind, "means the same to ourselves");
  return consumed;
}

interface PlainHead {
  line: string;
  fields: [name: string, value: string][];
}

/** Reads a head as a naive program would, and fails when anything in it is not plain. */
function readPlainly(head: string): PlainHead {
  assert(
    head.endsWith("\r\n\r\n") && head.indexOf("\r\n\r\n") === head.length - 4,
    "has one empty line, at its end",
  );
  assert(!/[\r\n\0]/.test(head.replaceAll("\r\n", "")), "has no bare CR or LF and no NUL");
  const [line = "", ...lines] = head.slice(0, -4).split("\r\n");
  const fields = lines.map((field): [string, string] => {
    const match = /^([!#$%&'*+\-.^_`|~0-9A-Za-z]+):[ \t]*(.*?)[ \t]*$/s.exec(field);
    assert(match !== null, `has only plain fields, not ${JSON.stringify(field)}`);
    return [(match?.[1] ?? "").toLowerCase(), match?.[2] ?? ""];
  });
  return { line, fields };
}

function checkFraming(head: PlainHead, bodyKind: string, contentLength: number): void {
  const lengths = valuesOf(head, "content-length");
  const encodings = valuesOf(head, "transfer-encoding");
  assert(lengths.length + encodings.length <= 1, "has at most one framing field");
  assert(encodings.join() === (bodyKind === "chunked" ? "chunked" : ""), "is chunked when we think so");
  assert((lengths[0] ?? "0") === String(contentLength), "has the length we think it has");
}

function valuesOf(head: PlainHead, wanted: string): string[] {
  return head.fields.filter(([name]) => name === wanted).map(([, value]) => value);
}

function namesOf(head: PlainHead): string {
  return head.fields.map(([name]) => name).join("\n");
}

function assert(holds: boolean, what: string): void {
  if (!holds) throw new Error(`what is forwarded no longer ${what}`);
}
