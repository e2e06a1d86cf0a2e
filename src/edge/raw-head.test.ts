import { expect, test } from "bun:test";
import { type Random, seededRandom } from "../base/index.ts";
import { bytesOf, parseResponse } from "../http/http1/testing.ts";
import { text } from "../http/index.ts";
import { type CachePolicy, type FieldLine, storedFields, valueIn } from "./policy/index.ts";
import { dateAt, NOW_MS, pickSome, policyWith } from "./policy/rfc/testing.ts";
import { HEAD_BYTES_MAX, layOutRawHead, ownHead, putContentLength, type StoredHead } from "./raw-head.ts";
import { layOutHead } from "./stored-response.ts";

interface Laid {
  readonly lines: FieldLine[];
  readonly policy?: Partial<CachePolicy>;
  readonly withheld?: readonly string[];
  readonly keepsAge?: boolean;
}

function raw(
  { lines, policy = {}, withheld = [], keepsAge = false }: Laid,
  statusLine = "HTTP/1.1 200 OK",
): StoredHead | undefined {
  const head = [statusLine, ...lines.map(([name, value]) => `${name}: ${value}`), "\r\n"].join("\r\n");
  const layout = {
    policy: policyWith(policy),
    withheld,
    keepsAge,
    date: () => dateAt(0),
    isCompressible: false,
  };
  const laid = layOutRawHead(parseResponse(head), bytesOf(head), layout);
  if (laid !== undefined) putContentLength(laid, 5);
  return laid;
}

function read({ lines, policy = {}, withheld = [] }: Laid): StoredHead | undefined {
  const stored = storedFields(lines, withheld, NOW_MS);
  return layOutHead({ status: 200, reason: "OK" }, stored, 5, policyWith(policy));
}

/** The lines of both parts, sorted, and the texts that places show. */
function told(laid: StoredHead | undefined): object {
  if (laid === undefined) throw new Error("too long");
  const lines = (start: number, end: number): string[] =>
    text(laid.bytes, start, end).split("\r\n").toSorted();
  const at = (place: number): string => text(laid.bytes, place >>> 16, (place >>> 16) + (place & 0xffff));
  const { etag, lastModified, contentLanguage, clientStart, end, isRewritten } = laid;
  const places = [etag, lastModified, contentLanguage].map(at);
  return { internal: lines(0, clientStart), client: lines(clientStart, end), places, isRewritten };
}

const LINES: readonly FieldLine[] = [
  ["Age", "7"],
  ["Cache-Control", "max-age=60"],
  ["cache-control", "public"],
  ["Cache-Tag", "a, b"],
  ["CDN-Cache-Control", "max-age=9"],
  ["Connection", "x-gone, close"],
  ["Content-Language", "de"],
  ["Date", dateAt(-5)],
  ["ETag", '"a"'],
  ["ETAG", '"b"'],
  ["Expires", "0"],
  ["Keep-Alive", "timeout=5"],
  ["Last-Modified", dateAt(-9)],
  ["Pragma", "x"],
  ["Set-Cookie", "a=b"],
  ["Set-Cookie", "c=d"],
  ["Surrogate-Key", "a b"],
  ["Tenfold-CDN-Cache-Control", "max-age=1"],
  ["Trailer", "x"],
  ["Upgrade", "x"],
  ["X-Empty", ""],
  ["X-Gone", "1"],
  ["X-Kept", '"a"'],
  ["x_under", "1"],
  ["X-Request-Id", "1"],
  ["X-Secret", "1"],
];

const WITHHELD = ["x-secret", "set-cookie", "etag", "x_under", "no-such"];

function randomLaid(random: Random): Laid {
  const browserCacheControl = random() < 0.3 ? "no-cache" : undefined;
  const policy = { browserCacheControl, keepInternalFields: random() < 0.3 };
  return { lines: pickSome(random, LINES, 12), policy, withheld: pickSome(random, WITHHELD, 2) };
}

test("a head that is laid out from bytes is the one that is laid out from its fields", () => {
  const random = seededRandom(11);
  for (let i = 0; i < 1500; i++) {
    const laid = randomLaid(random);
    expect([laid, told(raw(laid))]).toEqual([laid, told(read(laid))]);
  }
});

test("lines stay as they are and in their order", () => {
  const head = raw({
    lines: [
      ["b", "1"],
      ["Cache-Tag", "x"],
      ["A", "2"],
      ["b", "3"],
      ["Date", "d"],
    ],
  });
  const client = "HTTP/1.1 200 OK\r\nb: 1\r\nA: 2\r\nb: 3\r\nDate: d\r\nContent-Length: 5\r\n";
  expect(head === undefined ? "" : text(head.bytes, 0, head.end)).toBe(`Cache-Tag: x\r\n${client}`);
});

test("a target's reason stays, and one is put where there is none", () => {
  const line = (statusLine: string): string | undefined => {
    const head = raw({ lines: [] }, statusLine);
    return head && text(head.bytes, 0, head.bytes.indexOf(0x0d));
  };
  expect(line("HTTP/1.1 404 Gone fishing")).toBe("HTTP/1.1 404 Gone fishing");
  expect(line("HTTP/1.1 404 ")).toBe("HTTP/1.1 404 Not Found");
  expect(line("HTTP/1.0 200 OK")).toBe("HTTP/1.1 200 OK");
});

test("the target's Age goes on only with a response that is not stored", () => {
  const lines: FieldLine[] = [["Age", "7"]];
  const ageIn = (laid: StoredHead | undefined): boolean =>
    laid !== undefined && text(laid.bytes, 0, laid.end).includes("Age: 7\r\n");
  expect(ageIn(raw({ lines }))).toBe(false);
  expect(ageIn(raw({ lines, keepsAge: true }))).toBe(true);
});

test("a validator that comes twice has no place", () => {
  expect(
    raw({
      lines: [
        ["ETag", '"a"'],
        ["ETag", '"b"'],
      ],
    })?.etag,
  ).toBe(0);
  expect(
    valueIn(
      [
        ["ETag", '"a"'],
        ["ETag", '"b"'],
      ],
      "etag",
    ),
  ).toBe('"a", "b"');
});

test("a head that places cannot point into is not stored", () => {
  const browserCacheControl = "x".repeat(66_000);
  expect(raw({ lines: [], policy: { browserCacheControl } })).toBeUndefined();
  expect(read({ lines: [["A", browserCacheControl]] })).toBeUndefined();
});

test("a head that was laid out in lent bytes is its own once it is copied, with room for its length", () => {
  const head = "HTTP/1.1 200 OK\r\nDate: d\r\n\r\n";
  const layout = {
    policy: policyWith(),
    withheld: [],
    keepsAge: false,
    date: () => "",
    isCompressible: false,
  };
  const into = new Uint8Array(HEAD_BYTES_MAX);
  const laid = layOutRawHead(parseResponse(head), bytesOf(head), { ...layout, into });
  if (laid === undefined) throw new Error("too long");
  const own = ownHead(laid);
  into.fill(0);
  putContentLength(own, Number.MAX_SAFE_INTEGER);
  expect(text(own.bytes, 0, own.end)).toBe(
    `HTTP/1.1 200 OK\r\nDate: d\r\nContent-Length: ${Number.MAX_SAFE_INTEGER}\r\n`,
  );
});
