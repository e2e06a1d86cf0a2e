/** A target of the tests of slices: it serves ranges of one body, and may lie. */
import { expect } from "bun:test";
import type { UserCache } from "../../../../config/index.ts";
import { type Answer, type Arrival, Target } from "../../../testing/index.ts";
import { bare, before, type Cached, FRESH } from "../testing.ts";

/** Bytes of a slice in these tests. */
export const SLICE: number = 64 * 1024;
const SLICED: UserCache = { slice: "64KiB" };

/** What a target holds: a body that tells its places apart, and how it speaks of it. */
export class Origin {
  body: string;
  etag = '"one"';
  fields: readonly string[] = [FRESH];
  /** Ranges that were asked for, in order. */
  readonly ranges: (string | undefined)[] = [];
  /** In the place of an answer. */
  instead: (range: string | undefined, arrival: Arrival) => string | undefined | void = () => undefined;

  constructor(slices: number) {
    this.body = bodyOf(slices * SLICE);
  }

  readonly answer = (arrival: Arrival): string => {
    const range = fieldOf(arrival, "range");
    this.ranges.push(range?.replace("bytes=", ""));
    const other = this.instead(range, arrival);
    if (typeof other === "string") return other;
    const tag = `ETag: ${this.etag}`;
    if (fieldOf(arrival, "if-none-match") === this.etag)
      return bare("304 Not Modified", tag).replace("Content-Length: 0\r\n", "");
    const pinned = fieldOf(arrival, "if-match");
    if (pinned !== undefined && pinned !== this.etag) return bare("412 Precondition Failed");
    const [, from, to] = /bytes=(\d+)-(\d*)/.exec(range ?? "") ?? [];
    if (from === undefined) return whole(this.body, tag, ...this.fields);
    const first = Number(from);
    if (first >= this.body.length)
      return bare("416 Range Not Satisfiable", `Content-Range: bytes */${this.body.length}`);
    const last = Math.min(to === "" ? Number.POSITIVE_INFINITY : Number(to), this.body.length - 1);
    return part(
      this.body.slice(first, last + 1),
      `bytes ${first}-${last}/${this.body.length}`,
      tag,
      ...this.fields,
    );
  };
}

export function bodyOf(length: number, name = "place"): string {
  return Array.from({ length: Math.ceil(length / 16) }, (_, i) => `${name}${i}`.padEnd(16, "."))
    .join("")
    .slice(0, length);
}

export function fieldOf({ head }: Arrival, name: string): string | undefined {
  return new RegExp(`^${name}: *(.*)$`, "im").exec(head)?.[1]?.trim();
}

export function whole(body: string, ...fields: string[]): string {
  return ["HTTP/1.1 200 OK", ...fields, `Content-Length: ${body.length}`, "", body].join("\r\n");
}

export function part(body: string, range: string, ...fields: string[]): string {
  const lines = ["HTTP/1.1 206 Partial Content", ...fields, `Content-Range: ${range}`];
  return [...lines, `Content-Length: ${body.length}`, "", body].join("\r\n");
}

export interface Scene extends Cached {
  readonly origin: Origin;
}

/** A rule with slices before a body of so many slices. */
export async function scene(slices: number, cache: UserCache = {}): Promise<Scene> {
  const origin = new Origin(slices);
  const cached = await before({ ...SLICED, ...cache }, await Target.start(origin.answer));
  return { ...cached, origin };
}

/** The range of a slice. */
export function slice(number: number): string {
  return `${number * SLICE}-${(number + 1) * SLICE - 1}`;
}

/** Slices are asked for one after the other, on connections of their own. */
export function sorted(ranges: readonly (string | undefined)[]): string[] {
  return ranges.map(String).toSorted((a, b) => a.localeCompare(b));
}

export function sameBody(answer: Answer, body: string): void {
  expect([answer.body.length, answer.body === body]).toEqual([body.length, true]);
}
