/**
 * Logging in to a server, without a socket: what the server says goes into `step`, what is to be sent comes out.
 *
 *   start-up -> authentication (none, password in clear, md5, SCRAM-SHA-256) -> parameters, cancel key -> ready
 *
 * A password goes out in clear only where the caller allows it: to a server that asks for it anybody on the way listens.
 */
import { type ErrorFields, FieldReader, readError } from "./fields.ts";
import { md5Password } from "./md5.ts";
import type { MessageWriter } from "./message-writer.ts";
import { AUTHENTICATION, BACKEND } from "./messages.ts";
import { writePassword, writeSaslInitial, writeSaslResponse, writeStartup } from "./requests.ts";
import { ScramClient } from "./scram-client.ts";
import type { ScramKeys } from "./scram-keys.ts";
import { SQLSTATE } from "./sqlstate.ts";
import { VERSION_3_0 } from "./startup.ts";

/** Who logs in. */
export interface Credentials {
  readonly user: string;
  readonly database: string;
  /** The password, or the keys of SCRAM made of it. */
  readonly secret?: string | ScramKeys | undefined;
  /** Whether a password may be sent in clear. Default no. */
  readonly allowCleartext?: boolean;
  /** Further parameters of the start-up. */
  readonly parameters?: Iterable<readonly [string, string]>;
  /** Printable, without commas, new for each log-in. */
  readonly nonce: string;
  /** Default 3.0. */
  readonly version?: number;
  /** What binds the log-in to its TLS channel (see `endpointBinding`); it is used where the server offers that. */
  readonly binding?: Uint8Array | undefined;
  /** A log-in that is not bound fails, whatever the server offers. Default no. */
  readonly needsBinding?: boolean;
}

/** What a message of the server led to: go on reading, send what was written, the session is open, or it will not be. */
export type LoginStep = "wait" | "send" | "ready" | "failed";

const MECHANISM = "SCRAM-SHA-256";
const BOUND_MECHANISM = "SCRAM-SHA-256-PLUS";
const NOT_BOUND = "does not bind the log-in to its certificate, which was asked for";

/** Settings that a server reports: PostgreSQL 18 has 15, and extensions may add some. */
const PARAMETERS_MAX = 200;

/** One log-in. */
export class Login {
  /** What the server reported, by name. */
  readonly parameters: Map<string, string> = new Map();
  /** The cancel key. */
  processId = 0;
  secret: Uint8Array = new Uint8Array(0);
  /** Why it failed. */
  error: ErrorFields | undefined;
  readonly #credentials: Credentials;
  readonly #writer: MessageWriter;
  #scram: ScramClient | undefined;
  /** The server has shown that it knows the password, or has not been asked to. */
  #isServerProven = true;
  #isAuthenticated = false;

  /** Everything that is to be sent is written to `writer`. */
  constructor(credentials: Credentials, writer: MessageWriter) {
    this.#credentials = credentials;
    this.#writer = writer;
  }

  /** Writes the start-up packet. */
  start(): void {
    const { user, database, parameters = [], version = VERSION_3_0 } = this.#credentials;
    writeStartup(this.#writer, [["user", user], ["database", database], ...parameters], version);
  }

  /** One whole message of the server, `bytes[start, end)` with its type and length. */
  step(type: number, bytes: Uint8Array, start: number, end: number): LoginStep {
    const fields = new FieldReader(bytes, start + 5, end);
    switch (type) {
      case BACKEND.authentication:
        return this.#authenticate(fields);
      case BACKEND.parameterStatus:
        if (this.parameters.size >= PARAMETERS_MAX) return this.#fail("reports settings without end");
        this.parameters.set(fields.cstring(), fields.cstring());
        return "wait";
      case BACKEND.backendKey:
        this.processId = fields.int32();
        this.secret = fields.slice(fields.left);
        return "wait";
      case BACKEND.error:
        this.error = readError(bytes, start, end);
        return "failed";
      case BACKEND.negotiateVersion:
      case BACKEND.notice:
        return "wait";
      case BACKEND.readyForQuery:
        return this.#isAuthenticated ? "ready" : this.#fail("is ready without authentication");
      default:
        return this.#fail(`sends "${String.fromCharCode(type)}" during log-in`);
    }
  }

  #authenticate(fields: FieldReader): LoginStep {
    const { secret, user, allowCleartext = false } = this.#credentials;
    const kind = fields.int32();
    switch (kind) {
      case AUTHENTICATION.ok:
        this.#isAuthenticated = true;
        if (this.#credentials.needsBinding === true && this.#scram === undefined)
          return this.#fail(NOT_BOUND);
        return this.#isServerProven ? "wait" : this.#fail("skips its part of SCRAM: it may be an impostor");
      case AUTHENTICATION.cleartext:
        if (!allowCleartext) return this.#fail("asks for the password in clear, which is not allowed");
        return this.#sendPassword(secret);
      case AUTHENTICATION.md5:
        if (typeof secret !== "string") return this.#sendPassword(secret);
        return this.#sendPassword(md5Password(user, secret, fields.slice(4)));
      case AUTHENTICATION.sasl:
        return this.#beginScram(fields);
      case AUTHENTICATION.saslContinue:
        return this.#answerScram(fields.text(fields.left));
      case AUTHENTICATION.saslFinal:
        this.#isServerProven = this.#scram?.verify(fields.text(fields.left)) ?? false;
        return this.#isServerProven
          ? "wait"
          : this.#fail("does not know the password: it may be an impostor");
      default:
        return this.#fail(`asks for authentication of kind ${kind}, which is not supported`);
    }
  }

  #sendPassword(password: string | ScramKeys | undefined): LoginStep {
    if (typeof password !== "string") return this.#fail("asks for a password, and none is known");
    writePassword(this.#writer, password);
    return "send";
  }

  #beginScram(fields: FieldReader): LoginStep {
    const { secret, nonce, binding, needsBinding = false } = this.#credentials;
    const offered = new Set<string>();
    for (let name = fields.cstring(); name !== ""; name = fields.cstring()) offered.add(name);
    const isBound = binding !== undefined && offered.has(BOUND_MECHANISM);
    if (needsBinding && !isBound) return this.#fail(NOT_BOUND);
    if (!isBound && !offered.has(MECHANISM)) return this.#fail(`does not offer ${MECHANISM}`);
    if (secret === undefined) return this.#fail("asks for a password, and none is known");
    const unbound = binding === undefined ? "none" : "unoffered";
    this.#scram = new ScramClient(secret, nonce, "", isBound ? { bound: binding } : unbound);
    this.#isServerProven = false;
    writeSaslInitial(this.#writer, isBound ? BOUND_MECHANISM : MECHANISM, this.#scram.first());
    return "send";
  }

  #answerScram(serverFirst: string): LoginStep {
    const final = this.#scram?.final(serverFirst);
    if (final === undefined) return this.#fail("sends a malformed SCRAM message");
    writeSaslResponse(this.#writer, final);
    return "send";
  }

  #fail(what: string): LoginStep {
    this.error = { severity: "FATAL", code: SQLSTATE.connectionException, message: `the server ${what}` };
    return "failed";
  }
}
