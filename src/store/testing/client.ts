/** A store without sockets for tests: say a command, get its reply. */
import { type SimulatedTime, seededRandom, simulatedTime } from "../../base/index.ts";
import {
  type Argument,
  latin1,
  type Reply,
  ReplyReader,
  ReplyWriter,
  RequestReader,
  RequestWriter,
} from "../../resp/index.ts";
import { plain } from "../../resp/testing.ts";
import type { Session, Sink } from "../session.ts";
import type { Settings } from "../settings.ts";
import { Store } from "../store.ts";

/** One client of a store. */
export class TestClient implements Sink {
  readonly session: Session;
  /** What was sent to it without being asked. */
  readonly pushed: unknown[] = [];
  closed = false;
  unsentBytes = 0;
  readonly #store: Store;
  readonly #reader = new ReplyReader();

  constructor(store: Store) {
    this.#store = store;
    this.session = store.connect(this, "test");
  }

  send(bytes: Uint8Array, length: number): void {
    this.#reader.push(bytes.slice(0, length), 0, length);
    for (let outcome = this.#reader.next(); outcome !== "more"; outcome = this.#reader.next())
      this.pushed.push(plain(this.#reader.value));
  }
  close(): void {
    this.closed = true;
  }
  resume(): void {}

  /** Runs a command and gives its replies: none while it waits, several for subscribing. Invalidations behind it are pushes. */
  all(...request: readonly Argument[]): unknown[] {
    return this.raw(...request).map(plain);
  }

  /** As `all`, bulk strings as bytes. */
  raw(...request: readonly Argument[]): Reply[] {
    const store = this.#store;
    const { out } = store.parts;
    out.clear();
    store.tick();
    store.execute(this.session, argumentsOf(request));
    store.tracking.settle();
    const reader = new ReplyReader();
    reader.push(out.bytes.slice(0, out.length), 0, out.length);
    const replies: Reply[] = [];
    for (let outcome = reader.next(); outcome !== "more"; outcome = reader.next()) {
      if (outcome === "mistake") throw new Error(`${reader.mistake} in ${latin1(out.bytes, 0, out.length)}`);
      if (outcome === "push") this.pushed.push(plain(reader.value));
      else replies.push(reader.value);
    }
    return replies;
  }

  /** Runs a command and gives its reply: bulk strings as "$text", errors as "-text". */
  say(...request: readonly Argument[]): unknown {
    return this.all(...request)[0];
  }
}

/** A request in the form in which it arrives. */
function argumentsOf(request: readonly Argument[]): RequestReader {
  const writer = new RequestWriter();
  writer.add(request);
  const reader = new RequestReader();
  const bytes = writer.take();
  reader.push(bytes, 0, bytes.length);
  reader.next();
  return reader;
}

/** A store on simulated time and seeded chance. */
export function testStore(
  settings: Partial<Settings> = {},
  seed = 1,
): { readonly store: Store; readonly client: TestClient; readonly time: SimulatedTime } {
  const time = simulatedTime();
  const store = new Store({
    clock: time.clock,
    scheduler: time.scheduler,
    random: seededRandom(seed),
    secret: { low: seed, high: ~seed },
    out: new ReplyWriter(),
    settings,
  });
  return { store, client: new TestClient(store), time };
}
