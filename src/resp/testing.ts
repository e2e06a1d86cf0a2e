/** Builders for tests of the protocol: bytes from text, everything a reader gives, random values. */
import type { Random } from "../base/index.ts";
import { latin1 } from "./bytes.ts";
import { type Reply, ReplyError } from "./reply.ts";
import { ReplyReader } from "./reply-reader.ts";
import type { ReplyWriter } from "./reply-writer.ts";
import { RequestReader } from "./request-reader.ts";

/** The bytes of a text in UTF-8. */
export const wire = (text: string): Uint8Array => new TextEncoder().encode(text);

/** The requests in `pieces`, each as its arguments (Latin-1), and the mistake that ended them, if any. */
export function readRequests(
  pieces: readonly Uint8Array[],
  reader: RequestReader = new RequestReader(),
): unknown[] {
  const read: unknown[] = [];
  for (const piece of pieces) {
    const lent = piece.slice();
    reader.push(lent, 0, lent.length);
    for (let outcome = reader.next(); outcome !== "more"; outcome = reader.next()) {
      if (outcome === "mistake") return [...read, reader.mistake];
      const { bytes, starts, ends, count } = reader;
      read.push(Array.from({ length: count }, (_, i) => latin1(bytes, starts[i] ?? 0, ends[i] ?? 0)));
    }
    // What was borrowed is overwritten, as a socket's buffer is.
    lent.fill(0xff);
  }
  return read;
}

/** The replies and pushes in `pieces`, in a form that can be compared. */
export function readReplies(
  pieces: readonly Uint8Array[],
  reader: ReplyReader = new ReplyReader(),
): unknown[] {
  const read: unknown[] = [];
  for (const piece of pieces) {
    const lent = piece.slice();
    reader.push(lent, 0, lent.length);
    for (let outcome = reader.next(); outcome !== "more"; outcome = reader.next()) {
      if (outcome === "mistake") return [...read, `mistake: ${reader.mistake}`];
      read.push(outcome === "push" ? { push: plain(reader.value) } : plain(reader.value));
    }
    lent.fill(0xff);
  }
  return read;
}

/** Bulk strings as "$text", errors as "-message". */
export function plain(reply: Reply): unknown {
  if (reply instanceof Uint8Array) return `$${latin1(reply, 0, reply.length)}`;
  if (reply instanceof ReplyError) return `-${reply.message}`;
  return Array.isArray(reply) ? reply.map(plain) : reply;
}

/** Writes a random value, and returns what reading it in RESP3 gives. */
export function writeRandom(writer: ReplyWriter, random: Random, depth = 0): unknown {
  const int = (below: number): number => Math.floor(random() * below);
  const text = (): string => String.fromCharCode(...Array.from({ length: int(40) }, () => int(256)));
  const children = (length: number): unknown[] =>
    Array.from({ length }, () => writeRandom(writer, random, depth + 1));
  const kinds: readonly (() => unknown)[] = [
    () => (writer.null(), null),
    () => (writer.simple("OK"), "OK"),
    () => (writer.error("ERR no"), "-ERR no"),
    () => {
      const value = int(2 ** 30) * (random() < 0.5 ? -1 : 4096) + 0;
      writer.integer(value);
      return value;
    },
    () => {
      const value = text();
      writer.bulkText(value);
      return `$${value}`;
    },
    () => {
      const value = (random() - 0.5) * 10 ** int(30);
      writer.double(value);
      return value;
    },
    () => (writer.boolean(true), true),
    () => (writer.verbatim("hello"), "$hello"),
    () => (writer.bigInteger(2n ** 63n - 1n), 2n ** 63n - 1n),
    () => {
      const length = int(4);
      writer.array(length);
      return children(length);
    },
    () => {
      const pairs = int(3);
      writer.map(pairs);
      return children(pairs * 2);
    },
    () => {
      const length = int(4);
      writer.set(length);
      return children(length);
    },
  ];
  const kind = kinds[int(depth > 4 ? 9 : kinds.length)];
  return kind?.();
}
