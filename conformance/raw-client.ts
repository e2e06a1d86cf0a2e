/** A client that sends exactly the bytes it is given and takes answers in canonical form only. */
import { connect, type Socket } from "node:net";
import { type Message, readResponse, statusOf } from "./http1/strict-reader.ts";

/** No answer of the tests takes this long, on the slowest machine. */
const ANSWER_MS = 10_000;

/** One connection; requests go out one after the other. */
export class RawClient {
  readonly #socket: Socket;
  #text = "";
  #closed = false;
  #changed: () => void = () => {};

  constructor(port: number) {
    this.#socket = connect({ port, host: "127.0.0.1", noDelay: true });
    this.#socket.setEncoding("latin1");
    this.#socket.on("data", (piece: string) => {
      this.#text += piece;
      this.#changed();
    });
    this.#socket.on("error", () => this.#end());
    this.#socket.on("close", () => this.#end());
  }

  /** Sends one request, one character per byte; resolves with its final answer. */
  async ask(bytes: string): Promise<Message> {
    this.#socket.write(bytes, "latin1");
    const bodiless = bytes.startsWith("HEAD ");
    const deadline = performance.now() + ANSWER_MS;
    for (;;) {
      const reading = readResponse(this.#text, 0, bodiless, this.#closed);
      if (reading.kind === "ambiguous") throw new Error(`answered in an ambiguous form: ${reading.what}`);
      if (reading.kind === "message") {
        this.#text = this.#text.slice(reading.end);
        if (statusOf(reading) >= 200) return reading;
        continue;
      }
      if (this.#closed) throw new Error(`closed after ${JSON.stringify(this.#text.slice(0, 200))}`);
      await this.#change(deadline - performance.now());
    }
  }

  /** Whether the other side has closed. */
  get closed(): boolean {
    return this.#closed;
  }

  stop(): void {
    this.#socket.destroy();
  }

  #end(): void {
    this.#closed = true;
    this.#changed();
  }

  #change(withinMs: number): Promise<void> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error("no answer")), Math.max(0, withinMs));
      this.#changed = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}

/** One request over a connection of its own. */
export async function askOnce(port: number, bytes: string): Promise<Message> {
  const client = new RawClient(port);
  try {
    return await client.ask(bytes);
  } finally {
    client.stop();
  }
}
