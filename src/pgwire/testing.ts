/** Builders for tests of the protocol: messages from text, everything that a scanner gives, random streams. */
import type { Random } from "../base/index.ts";
import type { FrameScanner } from "./frame-scanner.ts";
import { MessageWriter } from "./message-writer.ts";
import type { FrameTable } from "./messages.ts";

/** The bytes of a text, one a character. */
export const wire = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, "latin1"));

/** One message. */
export function message(type: string, body: string | Uint8Array = ""): Uint8Array {
  const bytes = typeof body === "string" ? wire(body) : body;
  return new MessageWriter().begin(type.charCodeAt(0)).raw(bytes).end().take();
}

/** Bytes put together. */
export function joined(pieces: readonly Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(pieces));
}

/** What a scanner said of `pieces`: its frames as type and head, all bytes in order, and the mistake that ended it. */
export interface Scanned {
  readonly frames: string[];
  readonly bytes: Uint8Array;
  readonly mistake: string | undefined;
}

/** Runs a scanner over `pieces`; what it borrowed is overwritten afterwards, as a socket's buffer is. */
export function scan(scanner: FrameScanner, pieces: readonly Uint8Array[]): Scanned {
  const frames: string[] = [];
  const bytes: Uint8Array[] = [];
  for (const piece of pieces) {
    const lent = piece.slice();
    scanner.push(lent, 0, lent.length);
    for (let outcome = scanner.next(); outcome !== "more"; outcome = scanner.next()) {
      if (outcome === "mistake") return { frames, bytes: joined(bytes), mistake: scanner.mistake };
      const part = scanner.bytes.slice(scanner.start, scanner.end);
      bytes.push(part);
      if (outcome === "frame")
        frames.push(`${Buffer.from(part).toString("latin1")}+${scanner.rest}/${scanner.length}`);
    }
    lent.fill(0xff);
  }
  return { frames, bytes: joined(bytes), mistake: undefined };
}

/** A stream of random messages of a table, mostly short. */
export function randomStream(table: FrameTable, random: Random): Uint8Array {
  const types = Array.from(table.longest.keys()).filter((type) => (table.longest[type] ?? 0) > 0);
  const messages = Array.from({ length: 1 + random() * 12 }, () => {
    const type = types[Math.floor(random() * types.length)] ?? 0;
    const longest = Math.min((table.longest[type] ?? 0) - 5, random() < 0.1 ? 6000 : 40);
    const body = Uint8Array.from({ length: random() * (longest + 1) }, () => random() * 256);
    return message(String.fromCharCode(type), body);
  });
  return joined(messages);
}
