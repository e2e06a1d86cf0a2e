/**
 * An open-model load: requests arrive at a constant rate, whether or not earlier ones were answered.
 *
 * Latency counts from the moment a request was due, so a server that stalls pays for everyone who would have come
 * meanwhile (no coordinated omission; Gil Tene). Every request ends as answered or as one failure of a known kind;
 * nothing is retried, so that "0 failed" means that no client saw a failure.
 */
import { connect, type Socket } from "node:net";
import { readResponse, statusOf } from "../../conformance/http1/strict-reader.ts";
import { HISTOGRAM_SIZE, quantile, record, seededRandom } from "../../src/base/index.ts";

/** Ways for a request to fail. "short-body": closed before the announced end of the answer. */
export const FAILURES = ["refused", "reset", "timeout", "5xx", "4xx", "short-body", "malformed"] as const;

/** One way for a request to fail. */
export type Failure = (typeof FAILURES)[number];

/** Quantiles that a report holds beside p50 and p99: the shape of the latencies. */
export const QUANTILES: readonly number[] = [0.1, 0.25, 0.5, 0.75, 0.9, 0.99];

/** What to send, where, how often. */
export interface LoadOptions {
  /** Port on 127.0.0.1. */
  readonly port: number;
  readonly ratePerSecond: number;
  /** How far apart requests are: all alike (the default), or by chance, as from many clients who know nothing of each other. */
  readonly spacing?: "even" | "poisson";
  /** The request number `index`, whole, one character per byte. Default: GET / of "bench.test". */
  readonly request?: (index: number) => string;
  /** Default 10 s. */
  readonly timeoutMs?: number;
}

/** The outcome of a load. Every due request is in `answered` or in one of `failed`. */
export interface LoadReport {
  readonly due: number;
  readonly answered: number;
  readonly failed: Readonly<Record<Failure, number>>;
  readonly failedTotal: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
  /** Latency at each of `QUANTILES`, ms. */
  readonly quantilesMs: readonly number[];
  /** The first failures in words, with the time since the start. */
  readonly examples: readonly string[];
}

/** How often due requests are sent: the finest that timers do. */
const TICK_MS = 1;

/** Failures told in words. */
const EXAMPLES_MAX = 10;

const DEFAULT_TIMEOUT_MS = 10_000;

/** A keep-alive connection: idle, or with one request under way. */
interface Connection {
  readonly socket: Socket;
  text: string;
  current: Exchange | undefined;
}

interface Exchange {
  readonly dueMs: number;
  readonly headOnly: boolean;
  readonly timer: ReturnType<typeof setTimeout>;
}

/** A load that runs from `new` until `stop`. */
export class OpenLoad {
  readonly #options: LoadOptions;
  readonly #startMs = performance.now();
  readonly #idle: Connection[] = [];
  readonly #open = new Set<Connection>();
  readonly #latencies = new Float64Array(HISTOGRAM_SIZE);
  readonly #failed = Object.fromEntries(FAILURES.map((kind) => [kind, 0])) as Record<Failure, number>;
  readonly #examples: string[] = [];
  readonly #ticker: ReturnType<typeof setInterval>;
  readonly #random = seededRandom(1);
  #ratePerSecond: number;
  /** When the next request is due. */
  #nextDueMs: number;
  #sent = 0;
  #answered = 0;
  #maxMs = 0;

  constructor(options: LoadOptions) {
    this.#options = options;
    this.#ratePerSecond = options.ratePerSecond;
    this.#nextDueMs = this.#startMs + this.#gapMs();
    this.#ticker = setInterval(() => this.#sendDue(), TICK_MS);
  }

  /** Changes the rate from now on. */
  setRate(ratePerSecond: number): void {
    this.#sendDue();
    this.#ratePerSecond = ratePerSecond;
    this.#nextDueMs = performance.now() + this.#gapMs();
  }

  /** Requests failed until now. */
  failedTotal(): number {
    return Object.values(this.#failed).reduce((sum, count) => sum + count, 0);
  }

  /** Requests answered until now. */
  answered(): number {
    return this.#answered;
  }

  /** Sends no more, waits for what is under way, and reports. */
  async stop(): Promise<LoadReport> {
    clearInterval(this.#ticker);
    while (this.#answered + this.failedTotal() < this.#sent)
      await new Promise((resolve) => setTimeout(resolve, 5));
    for (const { socket } of this.#open) socket.destroy();
    return {
      due: this.#sent,
      answered: this.#answered,
      failed: this.#failed,
      failedTotal: this.failedTotal(),
      p50Ms: quantile(this.#latencies, 0, 0.5) / 1000,
      p99Ms: quantile(this.#latencies, 0, 0.99) / 1000,
      maxMs: this.#maxMs,
      quantilesMs: QUANTILES.map((q) => quantile(this.#latencies, 0, q) / 1000),
      examples: this.#examples,
    };
  }

  #sendDue(): void {
    const nowMs = performance.now();
    while (this.#nextDueMs <= nowMs) {
      this.#send(this.#nextDueMs, this.#sent++);
      this.#nextDueMs += this.#gapMs();
    }
  }

  #gapMs(): number {
    const meanMs = 1000 / this.#ratePerSecond;
    return this.#options.spacing === "poisson" ? -meanMs * Math.log(1 - this.#random()) : meanMs;
  }

  #send(dueMs: number, index: number): void {
    const bytes = this.#options.request?.(index) ?? "GET / HTTP/1.1\r\nHost: bench.test\r\n\r\n";
    const connection = this.#idle.pop() ?? this.#connect();
    const timer = setTimeout(
      () => this.#fail(connection, "timeout"),
      this.#options.timeoutMs ?? DEFAULT_TIMEOUT_MS,
    );
    connection.current = { dueMs, timer, headOnly: bytes.startsWith("HEAD ") };
    connection.text = "";
    connection.socket.write(bytes, "latin1");
  }

  #connect(): Connection {
    const socket = connect({ port: this.#options.port, host: "127.0.0.1", noDelay: true });
    const connection: Connection = { socket, text: "", current: undefined };
    this.#open.add(connection);
    socket.setEncoding("latin1");
    socket.on("data", (piece: string) => {
      connection.text += piece;
      this.#read(connection, false);
    });
    socket.on("end", () => this.#read(connection, true));
    socket.on("error", (error: NodeJS.ErrnoException) => {
      this.#fail(connection, error.code === "ECONNREFUSED" ? "refused" : "reset", error.code);
    });
    socket.on("close", () => this.#fail(connection, connection.text === "" ? "reset" : "short-body"));
    return connection;
  }

  #read(connection: Connection, ended: boolean): void {
    const { current, text } = connection;
    if (current === undefined) {
      if (text !== "" || ended) this.#drop(connection);
      return;
    }
    const reading = readResponse(text, 0, current.headOnly, ended);
    if (reading.kind === "more") {
      if (ended) this.#fail(connection, text === "" ? "reset" : "short-body");
      return;
    }
    if (reading.kind === "ambiguous") return this.#fail(connection, "malformed", reading.what);
    const status = statusOf(reading);
    if (status < 200) {
      connection.text = text.slice(reading.end);
      return this.#read(connection, ended);
    }
    if (status >= 400) return this.#fail(connection, status >= 500 ? "5xx" : "4xx", text.slice(0, 300));
    const closes =
      ended || reading.fields.some(([name, value]) => name === "connection" && value === "close");
    this.#succeed(connection, current, closes);
  }

  #succeed(connection: Connection, { dueMs, timer }: Exchange, closes: boolean): void {
    const latencyMs = performance.now() - dueMs;
    clearTimeout(timer);
    record(this.#latencies, 0, latencyMs * 1000);
    this.#maxMs = Math.max(this.#maxMs, latencyMs);
    this.#answered++;
    connection.current = undefined;
    connection.text = "";
    if (closes) this.#drop(connection);
    else this.#idle.push(connection);
  }

  #fail(connection: Connection, kind: Failure, detail = ""): void {
    const { current } = connection;
    this.#drop(connection);
    if (current === undefined) return; // an idle connection may close
    clearTimeout(current.timer);
    connection.current = undefined;
    this.#failed[kind]++;
    if (this.#examples.length >= EXAMPLES_MAX) return;
    this.#examples.push(
      `${((performance.now() - this.#startMs) / 1000).toFixed(2)} s: ${kind} ${detail}`.trim(),
    );
  }

  #drop(connection: Connection): void {
    const at = this.#idle.indexOf(connection);
    if (at !== -1) this.#idle.splice(at, 1);
    this.#open.delete(connection);
    connection.socket.destroy();
  }
}

/** "0 of 12,000 failed" or the kinds that did. */
export function describeFailures({ due, failed, failedTotal }: LoadReport): string {
  const kinds = Object.entries(failed).filter(([, count]) => count > 0);
  const parts = kinds.map(([kind, count]) => `${count} ${kind}`).join(", ");
  return `${failedTotal} of ${due} failed${parts ? ` (${parts})` : ""}`;
}
