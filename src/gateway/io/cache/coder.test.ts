import { afterEach, expect, test } from "bun:test";
import { brotliDecompressSync, gunzipSync, zstdDecompressSync } from "node:zlib";
import { gatewayTo, stopAll, Target, track } from "../../testing/index.ts";
import { bestCoding, isCompressible } from "./coder.ts";

afterEach(stopAll);

const PAGE = "<p>the same words again</p>\n".repeat(200);
const HEAD = `HTTP/1.1 200 OK\r\nContent-Length: ${PAGE.length}\r\nCache-Control: max-age=60\r\nETag: "1"`;

async function get(port: number, encodings?: string): Promise<{ headers: Headers; body: Buffer }> {
  const headers = encodings === undefined ? {} : { "accept-encoding": encodings };
  const response = await fetch(`http://127.0.0.1:${port}/page`, { headers, decompress: false });
  return { headers: response.headers, body: Buffer.from(await response.arrayBuffer()) };
}

/** Asks until the form has been made. */
async function inForm(port: number, coding: string): ReturnType<typeof get> {
  for (let tries = 0; tries < 2000; tries++) {
    const answer = await get(port, coding);
    if (answer.headers.get("content-encoding") === coding) return answer;
  }
  throw new Error(`never in ${coding}`);
}

const FORMS = [
  ["br", brotliDecompressSync],
  ["zstd", zstdDecompressSync],
  ["gzip", gunzipSync],
] as const;

for (const [coding, decode] of FORMS) {
  test(`a page is kept in ${coding} too, made once, with a weak tag, and told to vary`, async () => {
    const target = track(await Target.start(() => `${HEAD}\r\nContent-Type: text/html\r\n\r\n${PAGE}`));
    const { port } = await gatewayTo([target], { rule: { cache: { compress: true } } });
    expect((await get(port, coding)).headers.get("vary")).toBe("Accept-Encoding");
    const coded = await inForm(port, coding);
    expect(decode(coded.body).toString()).toBe(PAGE);
    expect([coded.headers.get("etag"), coded.headers.get("vary")]).toEqual(['W/"1"', "Accept-Encoding"]);
    expect((await get(port, "identity")).body.toString()).toBe(PAGE);
    expect(target.arrivals.length).toBe(1);
  });
}

test("without `compress` nothing is compressed", async () => {
  const target = track(await Target.start(() => `${HEAD}\r\nContent-Type: text/html\r\n\r\n${PAGE}`));
  const { port } = await gatewayTo([target], { rule: { cache: {} } });
  const answers = [await get(port, "br"), await get(port, "br"), await get(port, "br")];
  expect(answers.map(({ headers }) => headers.get("content-encoding"))).toEqual([null, null, null]);
});

test("the client's best coding is the smallest that it takes", () => {
  const asked = ["gzip, deflate, br, zstd", "gzip;q=1, br;q=0", "zstd, gzip", "identity", undefined];
  expect(asked.map(bestCoding)).toEqual(["br", "gzip", "zstd", undefined, undefined]);
});

test.each([
  [{ "content-type": "image/png" }, 200, 5000],
  [{ "content-type": "text/html" }, 200, 500],
  [{ "content-type": "text/html" }, 404, 5000],
  [{ "content-type": "text/html", "content-encoding": "gzip" }, 200, 5000],
  [{ "content-type": "text/html", vary: "Accept-Encoding" }, 200, 5000],
  [{ "content-type": "text/html", "cache-control": "no-transform" }, 200, 5000],
] as const)("%j with status %i and %i bytes stays as it is", (fields, status, bytes) => {
  const field = (name: string): string | undefined => (fields as Record<string, string | undefined>)[name];
  expect(isCompressible(field, status, bytes)).toBe(false);
});
