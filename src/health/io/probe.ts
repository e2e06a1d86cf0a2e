/**
 * One active check on a fresh connection: a TCP connect, or a GET whose status must match.
 *
 * A fresh connection each time, because a target that can no longer accept is not well, however good its old
 * connections are.
 */
import type { Socket } from "bun";
import { type Cancel, type Scheduler, systemScheduler } from "../../base/index.ts";
import type { Address, HealthConfig } from "../../config/index.ts";
import { statusPasses } from "../matcher.ts";
import type { CheckResult, FailureReason } from "../target-state.ts";

/** Bytes of an answer we look at: a status line, with room for the interim responses that may come before it. */
const ANSWER_BYTES_MAX = 8192;

/** An interim response, whole: 1xx but 101, which is final. */
const INTERIM = /^HTTP\/1\.1 1(?!01)\d\d[ \r][^]*?\r\n\r\n/;

/** The beginning of one: what it is the interim of is still to come. */
const INTERIM_BEGUN = /^HTTP\/1\.1 1(?!01)\d\d[ \r]/;

/** Checks `address` once by `policy`; answers within its timeout and never rejects. */
export function probe(
  address: Address,
  policy: HealthConfig,
  scheduler: Scheduler = systemScheduler,
): Promise<CheckResult> {
  const { promise, resolve } = Promise.withResolvers<CheckResult>();
  const check = new Check(address, policy, resolve);
  check.start(scheduler);
  return promise;
}

class Check {
  readonly #address: Address;
  readonly #policy: HealthConfig;
  readonly #resolve: (result: CheckResult) => void;
  #socket: Socket<Check> | undefined;
  #cancelTimeout: Cancel = () => {};
  #answer = "";
  #ended = false;

  constructor(address: Address, policy: HealthConfig, resolve: (result: CheckResult) => void) {
    this.#address = { host: address.host, port: policy.port ?? address.port };
    this.#policy = policy;
    this.#resolve = resolve;
  }

  start(scheduler: Scheduler): void {
    this.#cancelTimeout = scheduler.after(this.#policy.timeoutMs, () => this.fail("timeout"));
    const { host: hostname, port } = this.#address;
    Bun.connect<Check>({ hostname, port, data: this, socket: HANDLERS }).catch((error: unknown) =>
      this.fail(reasonOf(error, "connect-failed")),
    );
  }

  opened(socket: Socket<Check>): void {
    this.#socket = socket;
    if (this.#ended) socket.terminate();
    else if (this.#policy.kind === "tcp") this.#end({ kind: "pass" });
    else socket.write(this.#request());
  }

  received(bytes: Uint8Array): void {
    this.#answer += Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("latin1");
    while (INTERIM.test(this.#answer)) this.#answer = this.#answer.replace(INTERIM, "");
    if (this.#answer.includes("\r\n") && !INTERIM_BEGUN.test(this.#answer)) this.#judge();
    else if (this.#answer.length > ANSWER_BYTES_MAX) this.fail("malformed");
  }

  fail(reason: FailureReason): void {
    this.#end({ kind: "fail", reason });
  }

  #judge(): void {
    const status = Number(/^HTTP\/1\.[01] (\d{3})[ \r]/.exec(this.#answer)?.[1]);
    if (Number.isNaN(status)) this.fail("malformed");
    else if (statusPasses(status, this.#policy.statuses)) this.#end({ kind: "pass" });
    else this.#end({ kind: "fail", reason: "status", status });
  }

  #request(): string {
    const { host, port } = this.#address;
    const name = this.#policy.host ?? `${host.includes(":") ? `[${host}]` : host}:${port}`;
    return `GET ${this.#policy.path} HTTP/1.1\r\nHost: ${name}\r\nUser-Agent: tenfold-health\r\nAccept: */*\r\nConnection: close\r\n\r\n`;
  }

  #end(result: CheckResult): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#cancelTimeout();
    // In order: a reset for each check would fill the logs of apps that report them.
    this.#socket?.end();
    this.#resolve(result);
  }
}

const HANDLERS = {
  open: (socket: Socket<Check>): void => socket.data.opened(socket),
  data: (socket: Socket<Check>, bytes: Buffer): void => socket.data.received(bytes),
  end: (socket: Socket<Check>): void => socket.data.fail("closed"),
  close: (socket: Socket<Check>, error?: Error): void => socket.data.fail(reasonOf(error, "closed")),
  error: (socket: Socket<Check>, error: Error): void => socket.data.fail(reasonOf(error, "reset")),
  connectError: (socket: Socket<Check>, error: Error): void =>
    socket.data.fail(reasonOf(error, "connect-failed")),
};

const REASONS: Readonly<Record<string, FailureReason>> = {
  ECONNREFUSED: "connect-refused",
  ECONNRESET: "reset",
  EPIPE: "reset",
  ETIMEDOUT: "timeout",
};

function reasonOf(error: unknown, otherwise: FailureReason): FailureReason {
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  return REASONS[code] ?? otherwise;
}
