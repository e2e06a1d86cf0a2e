/** Who keeps answers back, so that nobody learns of one that has to be asked for again. */
import type { ErrorFields } from "../../../pgwire/index.ts";
import type { ServerConnection } from "./server-connection.ts";

/** Keeps an answer from its client until it is whole. */
export interface AnswerHolder {
  /** The answer is thrown away. */
  readonly drops: boolean;
  /** False: it is too much, and all goes to the client from now on. */
  hold(server: ServerConnection, bytes: Uint8Array, start: number, end: number): boolean;
  /** What was held goes to the client. */
  release(server: ServerConnection): void;
  /** An error was met. True: nobody is to see it. */
  failed(error: ErrorFields): boolean;
}
