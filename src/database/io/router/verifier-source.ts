/**
 * Verifiers of users from the cluster's primary, over one connection of the router's own that is opened when it is needed. Where the
 * primary moves, so does the connection.
 */
import type { Credentials } from "../../../pgwire/index.ts";
import type { RouterContext } from "./context.ts";
import { type ControlAnswer, ControlConnection } from "./control-connection.ts";
import { verifierQuery } from "./users.ts";

/** What it asks, and as whom. */
export interface VerifierSourceParts {
  readonly context: RouterContext;
  /** Where the primary is; undefined while there is none. */
  readonly address: () => { readonly host: string; readonly port: number } | undefined;
  /** Somebody who may read pg_authid. */
  readonly credentials: () => Credentials;
}

interface Waiting {
  readonly user: string;
  readonly answer: (answer: ControlAnswer) => void;
}

export class VerifierSource {
  readonly #parts: VerifierSourceParts;
  #connection: ControlConnection | undefined;
  #to: { readonly host: string; readonly port: number } | undefined;
  #waiting: Waiting[] = [];

  constructor(parts: VerifierSourceParts) {
    this.#parts = parts;
  }

  /** A user's `rolpassword`: undefined when there is no such user. Rejects when the server cannot be asked. */
  fetch(user: string): Promise<string | undefined> {
    return new Promise((resolve, reject) => {
      const answer = (found: ControlAnswer): void => {
        if ("rows" in found) return resolve(found.rows[0]?.[0] ?? undefined);
        const why = typeof found.error === "object" ? found.error.message : found.error;
        this.#parts.context.log.warn("users-unread", { error: why });
        reject(new Error(`users cannot be read: ${why}`));
      };
      this.#ask({ user, answer });
    });
  }

  stop(): void {
    this.#connection?.close();
    this.#connection = undefined;
  }

  #ask(wanted: Waiting): void {
    const address = this.#parts.address();
    if (address === undefined) return wanted.answer({ error: "lost" });
    if (this.#to?.host !== address.host || this.#to.port !== address.port) this.stop();
    this.#to = address;
    this.#parts.context.transport.yieldSoon(); // a promise waits for the answer
    if (this.#connection?.isOpen === true) return this.#send(wanted);
    this.#waiting.push(wanted);
    this.#connection ??= this.#open(address);
  }

  #open(address: { readonly host: string; readonly port: number }): ControlConnection {
    const { context, credentials } = this.#parts;
    const connection = new ControlConnection(context, address, credentials(), {
      opened: () => {
        for (const wanted of this.#waiting.splice(0)) this.#send(wanted);
      },
      lost: (error) => {
        if (this.#connection === connection) this.#connection = undefined;
        for (const { answer } of this.#waiting.splice(0)) answer({ error });
      },
    });
    return connection;
  }

  #send({ user, answer }: Waiting): void {
    this.#connection?.ask(verifierQuery(user), (found) => {
      answer(found);
      this.#parts.context.transport.yieldSoon();
    });
  }
}
