/**
 * A router in the simulation: production's gate before each operation and before each answer. Operations wait while the gate is
 * shut; what was sent and not answered is never sent again.
 */
import { type Gate, gateOf, isConfirmed } from "../gate.ts";
import { passesOn, standsFor } from "../routing.ts";
import type { FailoverSettings } from "../settings.ts";
import { nextLookMs, observe, type Watch } from "../watch.ts";
import type { LogRecord, Write } from "./log-model.ts";
import { askStore } from "./store-model.ts";
import type { World } from "./world.ts";

/** What became of an operation. "unknown": it may have happened. */
export type Outcome<T> =
  | { readonly kind: "done"; readonly value: T; readonly term: number; readonly server: string }
  | { readonly kind: "failed" }
  | { readonly kind: "unknown" };

/** A connection to one life of a server. */
interface Connection {
  readonly server: string;
  readonly boot: number;
  readonly connectedMs: number;
}

/** An operation waits so long for a primary. */
const HOLD_MS = 30_000;
/** Longer than any fault: what is sent to a server that hangs is answered when it is awake again. */
const ANSWER_MS = 20_000;
const TICK_MS = 25;

export class RouterModel {
  readonly name: string;
  readonly #world: World;
  readonly #settings: FailoverSettings;
  readonly #speed: number;
  #watch: Watch | undefined;
  #connection: Connection | undefined;
  #connecting = false;
  #asked = false;
  #lookedMs = -Infinity;
  /** What has been sent and is not answered yet. */
  readonly #sent = new Set<{ readonly term: number; readonly end: () => void }>();
  #held: { readonly sinceMs: number; readonly run: (gate: OpenGate) => void; readonly fail: () => void }[] =
    [];

  constructor(
    name: string,
    options: {
      readonly world: World;
      readonly settings: FailoverSettings;
      readonly speed: number;
    },
  ) {
    this.name = name;
    this.#world = options.world;
    this.#settings = options.settings;
    this.#speed = options.speed;
    this.#tick();
  }

  get watch(): Watch | undefined {
    return this.#watch;
  }

  #clockMs(): number {
    return 5_000 + this.#world.nowMs * this.#speed;
  }

  gate(): Gate {
    const gate = gateOf(this.#watch, this.#settings, this.#clockMs());
    return this.#world.mutation.gate?.(gate, this.#watch) ?? gate;
  }

  /** Ends what waits for a primary that was replaced, or whose lease is over. */
  #giveUp(): void {
    if (this.#world.mutation.passesAll === true) return;
    for (const sent of this.#sent) {
      if (standsFor(this.#watch, this.#settings, sent.term)) continue;
      this.#connection = undefined;
      sent.end();
    }
  }

  /** Whether an answer of a connection that was made in `term` goes out. */
  #passes(term: number): boolean {
    const { mutation } = this.#world;
    return mutation.passesAll === true || passesOn(this.#watch, this.#settings, term, this.#clockMs());
  }

  write(write: Write, done: (outcome: Outcome<undefined>) => void): void {
    this.#hold(done, (gate, boot) => {
      const server = this.#world.server(gate.server);
      this.#exchange<undefined>(gate, done, (answer) =>
        server.write(boot, write, (outcome) => answer(outcome === "done" ? { value: undefined } : outcome)),
      );
    });
  }

  read(done: (outcome: Outcome<readonly LogRecord[]>) => void): void {
    this.#hold(done, (gate, boot) => {
      const server = this.#world.server(gate.server);
      this.#exchange<readonly LogRecord[]>(gate, done, (answer) => {
        const value = server.read(boot);
        answer(value === undefined ? "closed" : { value });
      });
    });
  }

  #hold(
    done: (outcome: { readonly kind: "failed" }) => void,
    run: (gate: OpenGate, boot: number) => void,
  ): void {
    this.#held.push({
      sinceMs: this.#world.nowMs,
      run: (gate) => run(gate, this.#connection?.boot ?? 0),
      fail: () => done({ kind: "failed" }),
    });
    this.#release();
  }

  /** Sends to the server and passes its answer on, if that term still stands: also while its primary is being switched over. */
  #exchange<T>(
    gate: OpenGate,
    done: (outcome: Outcome<T>) => void,
    serve: (answer: (result: { readonly value: T } | "closed" | "read-only") => void) => void,
  ): void {
    const world = this.#world;
    const { server: name, term } = gate;
    const server = world.server(name);
    let isOver = false;
    const end = (outcome: Outcome<T>): void => {
      if (isOver) return;
      isOver = true;
      this.#sent.delete(sent);
      done(outcome);
    };
    const sent = { term, end: () => end({ kind: "unknown" }) };
    this.#sent.add(sent);
    world.after(ANSWER_MS, () => {
      if (!isOver) this.#broken();
      end({ kind: "unknown" });
    });
    const answer = (result: { readonly value: T } | "closed" | "read-only"): void =>
      world.send(name, this.name, () => {
        if (result === "read-only") return end({ kind: "failed" });
        if (result === "closed") {
          if (!isOver) this.#broken();
          return end({ kind: "unknown" });
        }
        end(
          this.#passes(term)
            ? { kind: "done", value: result.value, term, server: name }
            : { kind: "unknown" },
        );
      });
    world.send(this.name, name, () => {
      if (!server.running) return answer("closed");
      const pauseMs = server.pausedUntilMs - world.nowMs;
      if (pauseMs <= 0) return serve(answer);
      world.after(pauseMs, () => serve(answer)); // in its socket's buffer
    });
  }

  #broken(): void {
    this.#connection = undefined;
    this.#look();
  }

  #tick(): void {
    if (this.#world.nowMs >= this.#lookedMs + nextLookMs(this.#watch, this.#settings)) this.#look();
    this.#giveUp();
    this.#release();
    this.#world.after(TICK_MS, () => this.#tick());
  }

  #look(): void {
    if (this.#asked) return;
    this.#asked = true;
    this.#lookedMs = this.#world.nowMs;
    const sentMs = this.#clockMs();
    this.#world.after(1_000, () => {
      if (sentMs === this.#sentMs) this.#asked = false;
    });
    this.#sentMs = sentMs;
    askStore(this.#world, this.name, { kind: "read", id: 0 }, (reply) => {
      if (sentMs === this.#sentMs) this.#asked = false;
      if (reply.kind === "stored") this.#watch = observe(this.#watch, reply.stored, sentMs, this.#clockMs());
      this.#release();
    });
  }
  #sentMs = 0;

  #release(): void {
    const gate = this.gate();
    const overdue = this.#held.filter(({ sinceMs }) => this.#world.nowMs >= sinceMs + HOLD_MS);
    if (overdue.length > 0) {
      this.#held = this.#held.filter((held) => !overdue.includes(held));
      for (const { fail } of overdue) fail();
    }
    if (gate.kind !== "open" || this.#held.length === 0) return;
    if (this.#connection?.server !== gate.server) return this.#connect(gate.server);
    if (!isConfirmed(this.#watch, this.#connection.connectedMs)) return this.#look();
    const held = this.#held;
    this.#held = [];
    for (const { run } of held) run(gate);
  }

  #connect(name: string): void {
    if (this.#connecting) return;
    this.#connecting = true;
    const world = this.#world;
    const server = world.server(name);
    world.after(200, () => {
      this.#connecting = false;
    });
    world.send(this.name, name, () => {
      if (!server.isAwake) return;
      const { boot } = server;
      world.send(name, this.name, () => {
        this.#connection = { server: name, boot, connectedMs: this.#clockMs() };
        this.#look();
        this.#release();
      });
    });
  }
}

type OpenGate = Extract<Gate, { kind: "open" }>;
