/** Valid requests in every dress that RFC 9112 allows, from a seed. */
import { type Random, seededRandom } from "../../src/base/index.ts";

/** How the origin is to answer. */
export interface WantedAnswer {
  readonly status: number;
  readonly fields: Readonly<Record<string, string>>;
  readonly framing: "length" | "chunked";
}

const METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"] as const;
const TARGETS = [
  "/",
  "/a/b/c",
  "/a%20b?x=1&y=%C3%A9",
  "//double//slash",
  "/~user/;p=1,2",
  "/a?b?c=/d",
  "/..a/.b",
];
const STATUSES = [200, 201, 202, 204, 206, 302, 304, 400, 404, 410, 500, 503];
const NAMES = ["Accept", "X-Request-Kind", "cookie", "If-None-Match", "USER-AGENT", "x!#$%&'*+.^_`|~1"];
const VALUES = ["*/*", "a, b;q=0.5", 'W/"etag"', "", "caf\xe9", "two  spaces inside", "x".repeat(2000)];
const ANSWER_FIELDS: Readonly<Record<string, string>>[] = [
  {},
  { ETag: '"1"', "Cache-Control": "max-age=60" },
  { "Set-Cookie": "a=1; Path=/", Vary: "Accept" },
  { "X-Long": "y".repeat(4000) },
];

/** The seed's `count` requests, each whole, one character per byte. */
export function validRequests(seed: number, count: number): string[] {
  const random = seededRandom(seed);
  return Array.from({ length: count }, () => validRequest(random));
}

function validRequest(random: Random): string {
  const method = pick(random, METHODS);
  const answer: WantedAnswer = {
    status: pick(random, STATUSES),
    fields: pick(random, ANSWER_FIELDS),
    framing: pick(random, ["length", "chunked"] as const),
  };
  const fields = [
    `Host: ${pick(random, ["a.test", "a.test:8080", "[::1]"])}`,
    `X-Answer: ${JSON.stringify(answer)}`,
  ];
  for (let left = Math.floor(random() * 4); left > 0; left--) fields.push(fieldLine(random));
  const [framing, body] = bodyOf(random, method);
  return [
    `${method} ${pick(random, TARGETS)} HTTP/1.1`,
    ...shuffled(random, [...fields, ...framing]),
    "",
    body,
  ].join("\r\n");
}

function fieldLine(random: Random): string {
  return `${pick(random, NAMES)}:${pick(random, ["", " ", "\t", "  "])}${pick(random, VALUES)}${pick(random, ["", " "])}`;
}

/** Field lines that frame a body, and the body: none, counted or chunked. */
function bodyOf(random: Random, method: string): [framing: string[], body: string] {
  const kind =
    method === "GET" || method === "HEAD" ? "none" : pick(random, ["none", "length", "chunked", "trailers"]);
  const data = pick(random, ["", "x", "hello world", "\0\r\n\r\n\xff", "z".repeat(20_000)]);
  if (kind === "none") return [[], ""];
  if (kind === "length") return [[`Content-Length: ${data.length}`], data];
  const trailers = kind === "trailers" ? "X-Checksum: abc\r\n" : "";
  return [["Transfer-Encoding: chunked"], `${chunksOf(random, data)}0\r\n${trailers}\r\n`];
}

function chunksOf(random: Random, data: string): string {
  let text = "";
  for (let at = 0; at < data.length; ) {
    const size = Math.min(data.length - at, 1 + Math.floor(random() * 5000));
    text += `${size.toString(16)}\r\n${data.slice(at, at + size)}\r\n`;
    at += size;
  }
  return text;
}

function pick<T>(random: Random, choices: readonly T[]): T {
  return choices[Math.floor(random() * choices.length)]!;
}

function shuffled<T>(random: Random, items: readonly T[]): T[] {
  return items
    .map((item) => [random(), item] as const)
    .toSorted(([a], [b]) => a - b)
    .map(([, item]) => item);
}
