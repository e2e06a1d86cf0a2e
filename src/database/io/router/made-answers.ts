/**
 * Answers that the router gives itself, when their turn has come: to a Parse of what the server has, to a Close or a DEALLOCATE of
 * what stays there.
 */
import { BACKEND, utf8 } from "../../../pgwire/index.ts";
import { REPLY } from "../../router/reply-queue.ts";
import type { ServerConnection } from "./server-connection.ts";

/** By what was sent. */
const ANSWERS: Readonly<Record<number, Uint8Array>> = {
  [REPLY.madeParse]: Uint8Array.of(BACKEND.parseComplete, 0, 0, 0, 4),
  [REPLY.madeClose]: Uint8Array.of(BACKEND.closeComplete, 0, 0, 0, 4),
  [REPLY.madeDeallocate]: Uint8Array.of(BACKEND.commandComplete, 0, 0, 0, 15, ...utf8("DEALLOCATE\0")),
};

/** Gives the answers that we make, as far as it is their turn. */
export function makeAnswers(server: ServerConnection): void {
  const { replies, client } = server;
  for (let answer = ANSWERS[replies.front]; answer !== undefined; answer = ANSWERS[replies.front]) {
    if (server.held?.hold(server, answer, 0, answer.length) !== true) {
      client?.batch.add(answer, 0, answer.length);
      server.passed = true;
    }
    replies.shift();
  }
}
