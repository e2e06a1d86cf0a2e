/** One keep-alive connection that asks one thing after the other. */
import { connect, type Socket } from "node:net";

export class KeepAliveClient {
  readonly #socket: Socket;
  #text = "";
  /** Of the last answer. */
  head = "";
  #answer: ((body: string) => void) | undefined;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.setNoDelay(true);
    socket.on("data", (chunk: Buffer) => this.#read(chunk.toString("latin1")));
  }

  static connect(port: number): Promise<KeepAliveClient> {
    return new Promise((resolve, reject) => {
      const socket = connect(port, "127.0.0.1", () => resolve(new KeepAliveClient(socket)));
      socket.once("error", reject);
    });
  }

  /** The body of the answer, which must have a length. */
  get(path: string): Promise<string> {
    return new Promise((resolve) => {
      this.#answer = resolve;
      this.#socket.write(`GET ${path} HTTP/1.1\r\nHost: bench.test\r\n\r\n`);
    });
  }

  end(): void {
    this.#socket.destroy();
  }

  #read(text: string): void {
    this.#text += text;
    const head = this.#text.indexOf("\r\n\r\n");
    if (head < 0) return;
    const length = Number(/^content-length: (\d+)/im.exec(this.#text)?.[1] ?? Number.NaN);
    if (Number.isNaN(length)) throw new Error(`an answer without a length: ${this.#text.slice(0, head)}`);
    const end = head + 4 + length;
    if (this.#text.length < end) return;
    this.head = this.#text.slice(0, head);
    const body = this.#text.slice(head + 4, end);
    this.#text = this.#text.slice(end);
    this.#answer?.(body);
  }
}
