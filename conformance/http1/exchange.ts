/** One case played over one fresh connection: the bytes go out, the answers come back, in bounded time. */
import { connect, type Socket } from "node:net";
import type { Case } from "./case.ts";
import { readResponse, statusOf } from "./strict-reader.ts";

/** What the client saw. */
export interface Answers {
  /** Final statuses in order; 1xx left out. */
  readonly statuses: readonly number[];
  /** Whether the proxy closed the connection. */
  readonly closed: boolean;
  /** What in the answers had several readings. */
  readonly ambiguity?: string;
}

/** How the bytes of a case are cut into writes. */
export type Delivery = "whole" | "bytewise";

/** Nothing happened for this long: a request that may stay unanswered is taken to be waiting for more. */
const SILENCE_MS = 250;

/** A valid request must be answered within this, on the slowest machine. */
const ANSWER_MS = 5000;

/** After the last expected answer: time for a second, smuggled one, or for the close. */
const LINGER_MS = 40;

/** Byte by byte only below this; larger ones go out in pieces of this size. */
const BYTEWISE_MAX = 1024;

/** Plays the case against the loopback port. */
export function exchange(port: number, played: Case, delivery: Delivery): Promise<Answers> {
  return new Promise((resolve) => {
    let text = "";
    let closed = false;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const socket = connect({ port, host: "127.0.0.1", noDelay: true });
    const wanted = Math.max(
      1,
      played.forwarded.count + (played.statuses.length > 0 && played.closes ? 1 : 0),
    );

    const finish = (): void => {
      clearTimeout(timer);
      socket.destroy();
      resolve(readAnswers(text, closed, played.bytes));
    };
    const wait = (): void => {
      const { statuses } = readAnswers(text, closed, played.bytes);
      clearTimeout(timer);
      timer = setTimeout(finish, statuses.length < wanted ? patience(played) : lingering(statuses));
    };
    socket.setEncoding("latin1");
    socket.on("connect", () => void send(socket, played.bytes, delivery));
    socket.on("data", (piece: string) => {
      text += piece;
      wait();
    });
    // A reset after the answer is still a close: the proxy threw away what it had not read.
    socket.on("error", () => (closed = true));
    socket.on("end", () => (closed = true));
    socket.on("close", () => {
      closed = true;
      finish();
    });
    wait();
  });
}

/** After a refusal the close is waited for longer: it may follow the answer in another turn of the proxy's loop. */
function lingering(statuses: readonly number[]): number {
  return statuses.some((status) => status >= 400) ? SILENCE_MS : LINGER_MS;
}

function patience({ refusal }: Case): number {
  return refusal === "must" || refusal === "unfinished" ? SILENCE_MS : ANSWER_MS;
}

async function send(socket: Socket, bytes: string, delivery: Delivery): Promise<void> {
  if (delivery === "whole") {
    socket.write(bytes, "latin1");
    return;
  }
  const step = bytes.length <= BYTEWISE_MAX ? 1 : BYTEWISE_MAX;
  for (let at = 0; at < bytes.length && !socket.destroyed; at += step) {
    socket.write(bytes.slice(at, at + step), "latin1");
    await new Promise((resolve) => setImmediate(resolve));
  }
}

/** All complete answers in the text. Requests by HEAD have answers without a body. */
function readAnswers(text: string, closed: boolean, bytes: string): Answers {
  const statuses: number[] = [];
  let bodiless = bytes.startsWith("HEAD ");
  for (let at = 0; at < text.length; ) {
    const reading = readResponse(text, at, bodiless, closed);
    if (reading.kind === "ambiguous") return { statuses, closed, ambiguity: reading.what };
    if (reading.kind === "more") break;
    at = reading.end;
    if (statusOf(reading) < 200) continue;
    statuses.push(statusOf(reading));
    bodiless = false;
  }
  return { statuses, closed };
}
