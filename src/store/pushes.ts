/**
 * What is sent to a client that did not just ask: messages, invalidations, the reply to one that waited.
 *
 * Everything goes through one writer of its own, for the reply of the present command may be half written. What the present
 * client itself is to be told comes behind its reply.
 */
import { ReplyWriter } from "../resp/index.ts";
import type { Session } from "./session.ts";
import type { Store } from "./store.ts";

/** The channel on which RESP2 clients hear of invalidations. */
const INVALIDATE_CHANNEL = "__redis__:invalidate";

export class Pushes {
  readonly #store: Store;
  readonly #writer = new ReplyWriter();
  /** For the client whose command is being run. */
  readonly #own: (() => void)[] = [];

  constructor(store: Store) {
    this.#store = store;
  }

  /** A message for a subscriber. */
  message(session: Session, kind: "message" | "smessage", channel: string, payload: Uint8Array): void {
    this.#send(session, (out) => {
      out.push(3);
      out.bulkText(kind);
      out.bulkText(channel);
      out.bulk(payload, 0, payload.length);
    });
  }

  patternMessage(session: Session, pattern: string, channel: string, payload: Uint8Array): void {
    this.#send(session, (out) => {
      out.push(4);
      out.bulkText("pmessage");
      out.bulkText(pattern);
      out.bulkText(channel);
      out.bulk(payload, 0, payload.length);
    });
  }

  /** Tells a client, or the one it named, that keys changed; undefined for all keys. */
  invalidate(session: Session, keys: readonly string[] | undefined): void {
    const redirect = session.tracking?.redirect ?? 0;
    const target = redirect === 0 ? session : this.#store.sessions.get(redirect);
    if (target === undefined) {
      if (session.protocol === 3) this.#send(session, (out) => brokenRedirect(out, redirect));
      return;
    }
    if (target.protocol === 2 && target.channels?.has(INVALIDATE_CHANNEL) !== true) return;
    this.#send(target, (out) => {
      out.push(target.protocol === 3 ? 2 : 3);
      if (target.protocol === 3) out.bulkText("invalidate");
      else for (const text of ["message", INVALIDATE_CHANNEL]) out.bulkText(text);
      if (keys === undefined) return out.null();
      out.array(keys.length);
      for (const key of keys) out.bulkText(key);
    });
  }

  /** A line for who watches all commands. */
  line(session: Session, line: string): void {
    this.#send(session, (out) => out.simple(line));
  }

  /** Sends what `write` replies through the store's call. */
  reply(session: Session, write: () => void): void {
    const { call } = this.#store;
    const { out } = call;
    const before = out.length;
    const { protocol } = out;
    const previous = call.session;
    call.session = session;
    out.protocol = session.protocol;
    write();
    this.flushOwn(session);
    const reply = out.bytes.slice(before, out.length);
    out.length = before;
    out.protocol = protocol;
    call.session = previous;
    if (reply.length > 0) session.sink.send(reply, reply.length);
  }

  /** Writes what the client is to be told of its own command, behind the reply. */
  flushOwn(session: Session): void {
    if (this.#own.length === 0) return;
    const { out } = this.#store.parts;
    out.protocol = session.protocol;
    for (const write of this.#own.splice(0)) write();
  }

  #send(session: Session, write: (out: ReplyWriter) => void): void {
    if (session === this.#store.running) {
      this.#own.push(() => write(this.#store.parts.out));
      return;
    }
    const out = this.#writer;
    out.clear();
    out.protocol = session.protocol;
    write(out);
    session.sink.send(out.bytes, out.length);
  }
}

function brokenRedirect(out: ReplyWriter, redirect: number): void {
  out.push(2);
  out.bulkText("tracking-redir-broken");
  out.integer(redirect);
}
