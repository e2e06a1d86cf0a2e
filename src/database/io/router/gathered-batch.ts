/** A client's messages until it is known where they go: kept as they came, with the plans of the statements in them. */
import { cstringEnd, FRONTEND, textOf } from "../../../pgwire/index.ts";
import type { TextPlan } from "../../reads/text-plan.ts";
import type { Session } from "../../router/session.ts";
import { Bytes } from "./bytes.ts";
import type { Reads } from "./reads.ts";
import type { Frame } from "./requests.ts";

/** Longest batch that is kept. */
const BATCH_BYTES_MAX = 64 * 1024;

const HEADER = 5;
/** "S" for a statement, in Describe and Close. */
const STATEMENT = 83;

/** A statement of which nothing is known. */
const UNKNOWN: TextPlan = {
  text: "",
  access: "primary",
  reason: "unknown-statement",
  functions: [],
  hint: undefined,
  routing: undefined,
};

export class GatheredBatch {
  readonly bytes: Bytes = new Bytes();
  plans: TextPlan[] = [];
  /** It closes a prepared statement: it could not be run twice. */
  closes = false;
  /** Names that it gives to prepared statements. */
  #newNames: string[] = [];
  /** The statement without a name; undefined: not seen. */
  #unnamed: TextPlan | undefined;
  readonly #session: Session;
  readonly #reads: Reads;

  constructor(session: Session, reads: Reads) {
    this.#session = session;
    this.#reads = reads;
  }

  /** Whether it can be kept, and its text is whole if it has one. */
  hasRoomFor({ type, start, end, rest }: Frame): boolean {
    if (rest > 0 && (type === FRONTEND.query || type === FRONTEND.parse)) return false;
    return this.bytes.length + end - start + rest <= BATCH_BYTES_MAX;
  }

  /** One message of an extended query, or its beginning. */
  add(frame: Frame): void {
    this.bytes.add(frame.bytes, frame.start, frame.end);
    const plan = this.#planOf(frame);
    if (plan !== undefined) this.plans.push(plan);
  }

  clear(): void {
    this.bytes.clear();
    this.plans = [];
    this.#newNames = [];
    this.closes = false;
  }

  /** A Parse without a name went by unseen. */
  forgetUnnamed(): void {
    this.#unnamed = undefined;
  }

  /** The names that it has given mean nothing again: it will be run once more. */
  forgetNames(): void {
    for (const name of this.#newNames) this.#session.forget(name);
  }

  /** The statement that a message brings or uses. */
  #planOf({ type, bytes, start, end }: Frame): TextPlan | undefined {
    if (type === FRONTEND.execute) return undefined;
    const at = start + HEADER;
    const nameEnd = cstringEnd(bytes, at, end);
    if (nameEnd < 0) return UNKNOWN;
    if (type === FRONTEND.parse)
      return this.#parsed(textOf(bytes, at, nameEnd), textAt(bytes, nameEnd + 1, end));
    if (type === FRONTEND.bind) return this.#planOfName(textAt(bytes, nameEnd + 1, end));
    if (bytes[at] !== STATEMENT) return undefined;
    if (type === FRONTEND.describe) return this.#planOfName(textOf(bytes, at + 1, nameEnd));
    if (type === FRONTEND.close) this.closes = true;
    return undefined;
  }

  #parsed(name: string, text: string): TextPlan {
    const plan = this.#reads.planOf(text);
    if (name === "") this.#unnamed = plan;
    else if (this.#session.named(name) === undefined) this.#newNames.push(name);
    return plan;
  }

  #planOfName(name: string): TextPlan | undefined {
    if (name === "") return this.#unnamed ?? UNKNOWN;
    if (this.#newNames.includes(name)) return undefined;
    const statement = this.#session.named(name);
    return statement === undefined ? UNKNOWN : this.#reads.planOfStatement(statement);
  }
}

/** The text that ends with a zero byte. */
function textAt(bytes: Uint8Array, start: number, end: number): string {
  return textOf(bytes, start, Math.max(start, cstringEnd(bytes, start, end)));
}
