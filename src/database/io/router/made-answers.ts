/** Answers that the router gives itself, when their turn has come: to a Parse of what the server has, to a Close of what stays there. */
import { BACKEND } from "../../../pgwire/index.ts";
import { REPLY } from "../../router/reply-queue.ts";
import type { ServerConnection } from "./server-connection.ts";

const PARSE_COMPLETE = Uint8Array.of(BACKEND.parseComplete, 0, 0, 0, 4);
const CLOSE_COMPLETE = Uint8Array.of(BACKEND.closeComplete, 0, 0, 0, 4);

const HEADER = 5;

/** Gives the answers that we make, as far as it is their turn. */
export function makeAnswers(server: ServerConnection): void {
  const { replies, client } = server;
  for (
    let front = replies.front;
    front === REPLY.madeParse || front === REPLY.madeClose;
    front = replies.front
  ) {
    const answer = front === REPLY.madeParse ? PARSE_COMPLETE : CLOSE_COMPLETE;
    if (server.held?.hold(server, answer, 0, HEADER) !== true) {
      client?.batch.add(answer, 0, HEADER);
      server.passed = true;
    }
    replies.shift();
  }
}
