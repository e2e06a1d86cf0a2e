/**
 * The log-in of one client: start-up packet, SCRAM-SHA-256, and what a session is told before its first query.
 *
 *   start-up -> authentication -> welcome; or a cancel request, which ends the connection
 *   TLS: asked for, or begun at once -> handshake -> start-up. GSSAPI is turned down.
 *
 * What comes from somebody who has not shown who he is is bounded: one start-up packet of 10,000 bytes, two messages of 2 KiB,
 * nothing else in between, and the deadline of the log-in.
 */
import { timerEntry } from "../../../base/index.ts";
import {
  AUTHENTICATION,
  type ErrorReply,
  FieldReader,
  FRONTEND,
  FrameScanner,
  type FrameTable,
  MessageWriter,
  readStartup,
  ScramServer,
  STARTUP_BYTES_MAX,
  type Startup,
  TRANSACTION,
  VERSION_3_2,
  writeAuthenticationOk,
  writeBackendKey,
  writeNegotiateVersion,
  writeParameterStatus,
  writeReadyForQuery,
  writeSasl,
} from "../../../pgwire/index.ts";
import { canonical } from "../../router/canonical.ts";
import type { LoginFailures } from "../../router/login-failures.ts";
import { routerError } from "../../router/refusals.ts";
import { isSettable, Settings, setSql, startupSettings } from "../../router/settings.ts";
import type { ClientConnection } from "./client-connection.ts";
import { type AskConsole, CONSOLE_PARAMETERS, ConsoleSession } from "./console/console-session.ts";
import type { RouterContext } from "./context.ts";
import type { Pool } from "./pool.ts";
import type { ClientTls } from "./tls/client-tls.ts";
import type { Users } from "./users.ts";

/** What the log-in needs of the worker. */
export interface LoginHost {
  readonly context: RouterContext;
  readonly users: Users;
  /** TLS of clients; undefined: there is none. */
  readonly tls: ClientTls | undefined;
  /** "trust" asks nobody for a password. */
  readonly authentication: "scram" | "trust";
  readonly failures: LoginFailures;
  /** Whether there are as many clients as may be without it: it may cancel a query, or speak to the console. */
  isSurplus(client: ClientConnection): boolean;
  /** Who carries out a user's commands; undefined: that database is no console to that user. */
  consoleFor(database: string, user: string): AskConsole | undefined;
  poolFor(database: string, user: string): Pool | ErrorReply;
  /** Gives the client its cancel key; the secret has `secretBytes`. */
  register(client: ClientConnection, secretBytes: number): void;
  cancel(processId: number, secret: Uint8Array, done: () => void): void;
}

const MECHANISM = "SCRAM-SHA-256";
const BOUND_MECHANISM = "SCRAM-SHA-256-PLUS";

/** A SCRAM message of libpq has 110 bytes. */
const SCRAM_BYTES_MAX = 2048;

/** Bytes of a cancel key: protocol 3.0 has room for 4. */
const SECRET_BYTES = 4;
const SECRET_BYTES_3_2 = 32;

/** Before the log-in only answers to SCRAM are taken. */
const LOGIN_FRAMES: FrameTable = { longest: new Int32Array(256), head: new Int32Array(256) };
LOGIN_FRAMES.longest[FRONTEND.password] = SCRAM_BYTES_MAX;
LOGIN_FRAMES.head[FRONTEND.password] = SCRAM_BYTES_MAX;

// …and a goodbye.
LOGIN_FRAMES.longest[FRONTEND.terminate] = 5;
LOGIN_FRAMES.head[FRONTEND.terminate] = 5;

const NOTHING = new Uint8Array(0);

type Phase = "startup" | "handshake" | "scram-first" | "scram-final" | "waiting" | "over";

export class ClientLogin {
  readonly #client: ClientConnection;
  readonly #host: LoginHost;
  readonly #writer = new MessageWriter();
  #phase: Phase = "startup";
  /** The beginning of a start-up packet. */
  #begun: Uint8Array = new Uint8Array(0);
  #hasAskedFor = new Set<string>();
  #scanner: FrameScanner | undefined;
  #scram: ScramServer | undefined;
  #isKnown = true;
  #isSecure = false;
  #version = 0;
  #settings: ReadonlyMap<string, string> = new Map();

  constructor(client: ClientConnection, host: LoginHost) {
    this.#client = client;
    this.#host = host;
  }

  /** Takes what arrived; the offset behind what belongs to the log-in. */
  received(bytes: Uint8Array, start: number, end: number): number {
    let at = start;
    while (at < end && this.#phase !== "waiting" && this.#phase !== "over" && !this.#client.isClosed) {
      at = this.#phase === "startup" ? this.#startup(bytes, at, end) : this.#answer(bytes, at, end);
    }
    const { consoleSession } = this.#client;
    if (consoleSession === undefined || at >= end) return at;
    consoleSession.received(bytes, at, end);
    return end;
  }

  // --- start-up ---------------------------------------------------------------------------------------------------

  #startup(bytes: Uint8Array, start: number, end: number): number {
    const before = this.#begun.length;
    const taken = Math.min(end, start + STARTUP_BYTES_MAX - before);
    const packet = before === 0 ? bytes.subarray(start, taken) : joined(this.#begun, bytes, start, taken);
    const found = readStartup(packet, 0, packet.length);
    if (found.kind === "more") {
      this.#begun = packet.slice();
      return taken;
    }
    this.#begun = new Uint8Array(0);
    if (found.kind === "direct-tls") {
      this.#secure(packet.slice(), true);
      return end;
    }
    const used = "end" in found ? found.end : packet.length;
    return this.#begin(found, used < packet.length || taken < end) ? start + used - before : end;
  }

  /** Whether the connection goes on. `isFollowed`: there are bytes behind the packet. */
  #begin(found: Exclude<Startup, { kind: "more" | "direct-tls" }>, isFollowed: boolean): boolean {
    const client = this.#client;
    switch (found.kind) {
      case "mistake":
        if (found.isGarbage) client.leave();
        else client.failWith("protocol-violation", found.mistake);
        return false;
      case "unsupported":
        client.failWith("protocol-unsupported", `the client asks for ${found.version}`);
        return false;
      case "tls":
      case "gss":
        return this.#asked(found.kind, isFollowed);
      case "cancel":
        this.#phase = "over";
        this.#host.cancel(found.processId, found.secret, () => client.leave());
        return false;
      case "startup":
        this.#open(found);
        return true;
    }
  }

  /** Each may be asked for once. What follows the request in clear is not the client's handshake (CVE-2021-23222). */
  #asked(kind: "tls" | "gss", isFollowed: boolean): boolean {
    const client = this.#client;
    if (this.#hasAskedFor.has(kind)) {
      client.failWith("protocol-violation", "TLS and GSSAPI may be asked for once");
      return false;
    }
    this.#hasAskedFor.add(kind);
    const isWilling = kind === "tls" && this.#host.tls?.canSecure(client.socket) === true;
    if (!isFollowed || !isWilling) {
      this.#writer.byte((isWilling ? "S" : "N").charCodeAt(0));
      client.write(this.#writer);
    }
    if (isFollowed) {
      client.failWith("protocol-violation", "received unencrypted data after the request for TLS or GSSAPI");
      return false;
    }
    if (isWilling) this.#secure(NOTHING, false);
    return true;
  }

  /** The handshake. One that fails ends the connection: there is nobody to tell. */
  #secure(first: Uint8Array, isDirect: boolean): void {
    const client = this.#client;
    const { tls } = this.#host;
    if (tls === undefined || (isDirect && this.#hasAskedFor.size > 0)) return client.leave();
    this.#phase = "handshake";
    this.#hasAskedFor.add("tls");
    tls.secure(client.socket, first, isDirect, (isSecure, problem) => {
      if (client.isClosed) return;
      this.#phase = "startup";
      this.#isSecure = isSecure;
      if (isSecure) return;
      client.context.counters.handshakesFailed++;
      client.context.log.debug("client-tls-failed", { reason: problem ?? "" });
      client.leave();
    });
  }

  #open({ version, parameters, extensions }: Extract<Startup, { kind: "startup" }>): void {
    const client = this.#client;
    if (this.#host.tls?.isRequired === true && !this.#isSecure) return client.failWith("tls-required");
    client.user = parameters.get("user") ?? "";
    client.database = parameters.get("database") || client.user;
    if (client.user === "") return client.failWith("no-user");
    if (this.#host.isSurplus(client) && this.#host.consoleFor(client.database, client.user) === undefined) {
      client.context.counters.clientsRefused++;
      return client.failWith("clients-exceeded");
    }
    if (isReplication(parameters.get("replication"))) return client.failWith("replication-refused");
    const settings = startupSettings(parameters);
    if ("mistake" in settings) return client.failWith("unsupported-parameter", settings.mistake);
    this.#settings = settings.values;
    this.#version = Math.min(version, VERSION_3_2);
    if (version > VERSION_3_2 || extensions.length > 0) {
      writeNegotiateVersion(this.#writer, this.#version, extensions);
      client.write(this.#writer);
    }
    if (this.#host.authentication === "trust") return this.#authenticated();
    if (this.#host.failures.isFlooding(client.socket.remoteAddress)) {
      client.context.counters.loginsRefused++;
      return client.failWith("logins-exceeded");
    }
    this.#phase = "waiting";
    this.#host.users.find(client.user, (user) => this.#beginScram(user));
  }

  // --- authentication ---------------------------------------------------------------------------------------------

  #beginScram(found: ReturnType<Users["known"]>): void {
    const client = this.#client;
    if (client.isClosed) return;
    if (found === "unknown") return client.failWith("users-unknown");
    this.#isKnown = found !== undefined;
    const verifier = found ?? this.#host.users.madeUp(client.user);
    const nonce = Buffer.from(client.context.randomBytes(18)).toString("base64");
    const binding = this.#isSecure ? this.#host.tls?.binding : undefined;
    this.#scram = new ScramServer(verifier, nonce, binding);
    this.#scanner = new FrameScanner(LOGIN_FRAMES);
    this.#phase = "scram-first";
    const bound = binding === undefined ? [] : [BOUND_MECHANISM];
    writeSasl(this.#writer, AUTHENTICATION.sasl, this.#needsBinding ? bound : [...bound, MECHANISM]);
    client.write(this.#writer);
  }

  get #needsBinding(): boolean {
    return this.#host.tls?.needsBinding === true;
  }

  #answer(bytes: Uint8Array, start: number, end: number): number {
    const scanner = this.#scanner;
    if (scanner === undefined) return end;
    scanner.push(bytes, start, end);
    const outcome = scanner.next();
    if (outcome === "more") return end;
    const { at } = scanner;
    if (outcome === "mistake") {
      this.#client.failWith("protocol-violation", `during log-in: ${scanner.mistake}`);
      return end;
    }
    if (scanner.type === FRONTEND.terminate) this.#client.leave();
    else if (this.#phase === "scram-first") this.#first(scanner);
    else this.#final(scanner);
    return at;
  }

  #first({ bytes, start, end }: FrameScanner): void {
    const fields = new FieldReader(bytes, start + 5, end);
    const mechanism = fields.cstring();
    const length = fields.int32();
    const isBound = mechanism === BOUND_MECHANISM;
    if (this.#needsBinding && !isBound) return this.#client.failWith("binding-required");
    const answer = this.#scram?.first(fields.text(length), isBound);
    if ((!isBound && mechanism !== MECHANISM) || fields.isBroken || fields.left > 0 || answer === undefined)
      return this.#client.failWith("protocol-violation", "malformed SCRAM message");
    this.#phase = "scram-final";
    writeSasl(this.#writer, AUTHENTICATION.saslContinue, answer);
    this.#client.write(this.#writer);
  }

  #final({ bytes, start, end }: FrameScanner): void {
    const client = this.#client;
    const fields = new FieldReader(bytes, start + 5, end);
    const success = this.#scram?.final(fields.text(fields.left));
    if (success === undefined || !this.#isKnown) {
      return this.#wrongPassword();
    }
    writeSasl(this.#writer, AUTHENTICATION.saslFinal, success.message);
    this.#host.users.learnKeys(client.user, success.keys);
    this.#authenticated();
  }

  /** Told at once, or, to an address with many of them, when it is its turn. Nothing more is read. */
  #wrongPassword(): void {
    const client = this.#client;
    const { counters, wheel } = client.context;
    this.#phase = "waiting";
    counters.loginsFailed++;
    const message = `password authentication failed for user "${client.user}"`;
    const tell = (): void => client.fail({ ...routerError("wrong-password"), message });
    const waitMs = this.#host.failures.failed(client.socket.remoteAddress);
    if (waitMs === 0) return tell();
    counters.loginsDelayed++;
    wheel.schedule(timerEntry(tell), waitMs);
  }

  #authenticated(): void {
    const client = this.#client;
    this.#phase = "waiting";
    const ask = this.#host.consoleFor(client.database, client.user);
    if (ask !== undefined) return this.#openConsole(ask);
    const pool = this.#host.poolFor(client.database, client.user);
    if ("severity" in pool) return client.fail(pool);
    const refusal = client.context.clientCounts.enter(client, pool.settings);
    if (refusal !== undefined) return client.fail(refusal);
    writeAuthenticationOk(this.#writer);
    client.write(this.#writer);
    client.loggedIn(pool);
  }

  /** The log-in does not end: what the client sends is never a database's. */
  #openConsole(ask: AskConsole): void {
    const client = this.#client;
    client.consoleSession = new ConsoleSession(client, ask);
    client.context.wheel.cancel(client);
    writeAuthenticationOk(this.#writer);
    this.welcome(CONSOLE_PARAMETERS);
  }

  // --- welcome ----------------------------------------------------------------------------------------------------

  /** Parameters, cancel key, ready. `baseline`: what a fresh session of the server reports. */
  welcome(baseline: ReadonlyMap<string, string>): void {
    const client = this.#client;
    this.#phase = "over";
    const reported = new Map<string, string>();
    for (const [name, value] of baseline) reported.set(name.toLowerCase(), value);
    const asked = new Map<string, string>();
    for (const [name, value] of this.#settings)
      asked.set(name, canonical(name, value, reported.get(name) ?? ""));
    client.record.applicationName = asked.get("application_name") ?? "";
    let settings = Settings.none;
    for (const [name, value] of asked)
      if (client.reads?.session.startedWith(name, value) !== true && reported.get(name) !== value)
        settings = settings.with(name, setSql(name, value));
    client.session.initial = client.session.settings = settings;
    this.#host.register(client, this.#version >= VERSION_3_2 ? SECRET_BYTES_3_2 : SECRET_BYTES);
    for (const [name, value] of baseline) {
      const own = isSettable(name) ? asked.get(name.toLowerCase()) : undefined;
      writeParameterStatus(this.#writer, name, own ?? value);
    }
    writeBackendKey(this.#writer, client.processId, client.secret);
    writeReadyForQuery(this.#writer, TRANSACTION.idle);
    client.write(this.#writer);
  }
}

/** The values of a Boolean parameter, and "database", that ask for the replication protocol. */
function isReplication(value: string | undefined): boolean {
  return value !== undefined && !/^(?:false|off|no|0|)$/i.test(value);
}

function joined(begun: Uint8Array, bytes: Uint8Array, start: number, end: number): Uint8Array {
  const whole = new Uint8Array(begun.length + end - start);
  whole.set(begun);
  whole.set(bytes.subarray(start, end), begun.length);
  return whole;
}
