/**
 * What became of transactions whose server connection was lost: asked of the primary that there is then, by one connection of ours for each
 * pool that has something to ask.
 *
 * A connection is asked when a look that was sent after its log-in shows the same primary still, and believed while the lease stands, as
 * any other connection. What was committed is told when a commit of our own behind it has been acknowledged: in quorum mode the old primary's
 * word was not the quorum's.
 */
import { cstringEnd, textOf, utf8 } from "../../../pgwire/index.ts";
import { type IdStanding, standingOfId } from "../../failover/starts.ts";
import { type Outcome, type OutcomeStep, outcomeOf } from "../../router/outcome.ts";
import type { Statement } from "../../router/prepared.ts";
import { NO_EFFECTS } from "../../router/statement-effects.ts";
import { type WriteKind, WriteKinds } from "../../router/write-kind.ts";
import type { RouterContext } from "./context.ts";
import { type ControlAnswer, ControlConnection } from "./control-connection.ts";
import type { Pool } from "./pool.ts";
import type { Gated, PrimaryGate, Target } from "./primary-gate.ts";
import { ID_SQL } from "./tracked.ts";

export type { Outcome } from "../../router/outcome.ts";

/** A connection that could not be made is tried again after this: two ticks. */
const RETRY_MS = 100;

interface Question {
  readonly id: bigint;
  /** Number of the start whose primary gave the id. */
  readonly start: number;
  readonly untilMs: number;
  readonly answer: (outcome: Outcome) => void;
  isAsked: boolean;
}

/** All of one worker. */
export class Outcomes {
  readonly kinds: WriteKinds = new WriteKinds();
  readonly #gate: PrimaryGate;
  readonly #context: RouterContext;
  readonly #askers = new Map<Pool, Asker>();
  readonly #idStatement: Statement;

  constructor(gate: PrimaryGate, context: RouterContext) {
    this.#gate = gate;
    this.#context = context;
    const body = utf8(`${ID_SQL}\0\0\0`);
    this.#idStatement = context.statements.use(body, 0, body.length, () => NO_EFFECTS);
  }

  /** Asks for the id of the transaction in which it is run. */
  get idStatement(): Statement {
    return this.#idStatement;
  }

  /** The kind of a Query whose text begins at `start`. */
  kindOfQuery(bytes: Uint8Array, start: number, end: number): WriteKind {
    if (isPlainSelect(bytes, start, end)) return "read";
    const textEnd = cstringEnd(bytes, start, end);
    return textEnd < 0 ? "other" : this.kinds.of(textOf(bytes, start, textEnd));
  }

  /** Asks what became of the transaction `id`. `answer` is called once, and never within the call. */
  ask(
    pool: Pool,
    of: { readonly id: bigint; readonly start: number },
    answer: (outcome: Outcome) => void,
  ): boolean {
    const { hold } = this.#gate;
    if (this.waiting >= hold.max) return false;
    let asker = this.#askers.get(pool);
    if (asker === undefined) {
      asker = new Asker(pool, this.#gate, this.#context);
      this.#askers.set(pool, asker);
    }
    asker.add({ ...of, untilMs: this.#context.clock.nowMs() + hold.ms, answer, isAsked: false });
    return true;
  }

  /** Questions without an answer. */
  get waiting(): number {
    let waiting = 0;
    for (const asker of this.#askers.values()) waiting += asker.waiting;
    return waiting;
  }

  /** A few times a second, and when the record was looked at. */
  tick(): void {
    for (const [pool, asker] of this.#askers) if (!asker.tick()) this.#askers.delete(pool);
  }

  stop(): void {
    for (const asker of this.#askers.values()) asker.stop();
    this.#askers.clear();
  }
}

/** Has it said in its log what is behind all commits before, and is it where commits must be? Commits wait for it whatever the user's default. */
const ACKNOWLEDGE_SQL = `SELECT pg_catalog.set_config('synchronous_commit', 'on', true),
  pg_catalog.pg_logical_emit_message(true, 'tenfold', '')`;

/** The questions of one pool. */
class Asker {
  readonly #pool: Pool;
  readonly #gate: PrimaryGate;
  readonly #context: RouterContext;
  readonly #questions = new Set<Question>();
  #connection: ControlConnection | undefined;
  #gated: (Gated & { openedAtMs: number }) | undefined;
  #retryAtMs = 0;

  constructor(pool: Pool, gate: PrimaryGate, context: RouterContext) {
    this.#pool = pool;
    this.#gate = gate;
    this.#context = context;
  }

  get waiting(): number {
    return this.#questions.size;
  }

  add(question: Question): void {
    this.#questions.add(question);
  }

  /** Goes on. False: nothing is left to ask. */
  tick(): boolean {
    const nowMs = this.#context.clock.nowMs();
    const due = [...this.#questions].filter(({ untilMs }) => nowMs >= untilMs);
    for (const question of due) this.#answered(question, "unknown");
    if (this.#questions.size === 0) {
      this.stop();
      return false;
    }
    const { target } = this.#gate;
    if (target === undefined) return true;
    if (this.#gated !== undefined && !this.#gate.stands(this.#gated)) this.stop();
    if (this.#connection === undefined) this.#connect(target, nowMs);
    else this.#askAll();
    return true;
  }

  #connect(address: Target, nowMs: number): void {
    if (nowMs < this.#retryAtMs) return;
    this.#retryAtMs = nowMs + RETRY_MS;
    const gated = { address, openedAtMs: Infinity, start: 0 };
    const connection = new ControlConnection(this.#context, address, this.#pool.credentials(), {
      opened: () => {
        gated.openedAtMs = this.#context.clock.nowMs();
        this.#gate.look();
      },
      lost: () => {
        if (this.#connection === connection) this.stop();
      },
    });
    this.#connection = connection;
    this.#gated = gated;
  }

  #askAll(): void {
    const { gated, connection } = { gated: this.#gated, connection: this.#connection };
    if (gated === undefined || connection?.isOpen !== true) return;
    if (!this.#gate.confirms(gated)) return this.#gate.look();
    for (const question of this.#questions) {
      if (question.isAsked) continue;
      this.#take(question, outcomeOf(this.#standing(question)));
    }
  }

  #standing({ start, id }: Question): IdStanding {
    const { record } = this.#gate;
    return record === undefined ? "unknown" : standingOfId(record, start, id);
  }

  #take(question: Question, step: OutcomeStep): void {
    if (step === "ask-again") question.isAsked = false;
    else if (step === "committed") this.#acknowledge(question);
    else if (step === "ask") this.#askStatus(question);
    else this.#answered(question, step);
  }

  #askStatus(question: Question): void {
    this.#ask(question, `SELECT pg_catalog.pg_xact_status('${question.id}'::pg_catalog.xid8)`, (rows) =>
      this.#take(question, outcomeOf(this.#standing(question), rows[0]?.[0] ?? null)),
    );
  }

  #acknowledge(question: Question): void {
    this.#ask(question, ACKNOWLEDGE_SQL, () => this.#answered(question, "committed"));
  }

  #ask(
    question: Question,
    sql: string,
    take: (rows: Extract<ControlAnswer, { rows: unknown }>["rows"]) => void,
  ): void {
    const { gated, connection } = { gated: this.#gated, connection: this.#connection };
    question.isAsked = true;
    connection?.ask(sql, (answer) => {
      if (!this.#questions.has(question)) return;
      const isTrusted = gated !== undefined && this.#gate.passes(gated) && this.#connection === connection;
      if ("rows" in answer && isTrusted) return take(answer.rows);
      // An objection of a server that goes on is its last word.
      if ("error" in answer && typeof answer.error !== "string" && connection.isOpen)
        return this.#answered(question, "unknown");
      question.isAsked = false;
    });
  }

  #answered(question: Question, outcome: Outcome): void {
    if (this.#questions.delete(question)) question.answer(outcome);
  }

  /** Closes the connection; what was asked on it is asked again. */
  stop(): void {
    const { connection } = { connection: this.#connection };
    this.#connection = this.#gated = undefined;
    connection?.close();
    for (const question of this.#questions) question.isAsked = false;
  }
}

const OPEN_PARENTHESIS = 40;
const SEMICOLON = 59;
const LOWER = 32;
const SELECT = utf8("select ");

/** SELECT, and no function, second statement or INTO in it: most reads, told without making a string of them. */
function isPlainSelect(bytes: Uint8Array, start: number, end: number): boolean {
  for (let at = 0; at < SELECT.length; at++)
    if (((bytes[start + at] ?? 0) | LOWER) !== SELECT[at]) return false;
  for (let at = start + SELECT.length; at < end; at++) {
    const byte = bytes[at] ?? 0;
    if (byte === OPEN_PARENTHESIS) return false;
    if (byte === SEMICOLON && at < end - 2) return false;
    // "into"
    if (
      (byte | LOWER) === 0x69 &&
      ((bytes[at + 1] ?? 0) | LOWER) === 0x6e &&
      ((bytes[at + 2] ?? 0) | LOWER) === 0x74
    )
      return false;
  }
  return true;
}
