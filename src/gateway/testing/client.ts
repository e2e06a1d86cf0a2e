/** A client in plain TCP: says exactly the bytes it is told to, and reads answers with a deadline. */
import { createConnection, type Socket } from "node:net";
import { eventually, poke } from "../../base/testing.ts";

/** One response as it came. */
export interface Answer {
  readonly status: number;
  /** Status line and fields as they came, without the empty line. */
  readonly head: string;
  /** Chunked bodies are joined. */
  readonly body: string;
  /** Value of a field, name in any case; undefined when absent. */
  field(name: string): string | undefined;
}

export class Client {
  readonly socket: Socket;
  /** Bytes received and not yet read, as Latin-1. */
  received = "";
  bytesReceived = 0;
  /** Keep what is received as text; off for large bodies. */
  keeps = true;
  /** The gateway sent FIN. */
  hasEnded = false;
  isClosed = false;
  wasReset = false;

  private constructor(socket: Socket) {
    this.socket = socket;
    socket.setNoDelay(true);
    socket.on("data", (chunk: Buffer) => {
      this.bytesReceived += chunk.length;
      if (this.keeps) this.received += chunk.toString("latin1");
      poke();
    });
    socket.on("end", () => {
      this.hasEnded = true;
      poke();
    });
    socket.on("error", () => {
      this.wasReset = true;
    });
    socket.on("close", () => {
      this.isClosed = true;
      poke();
    });
  }

  static connect(port: number, host = "127.0.0.1"): Promise<Client> {
    return new Promise((resolve, reject) => {
      const socket = createConnection({ port, host, allowHalfOpen: true });
      socket.once("error", reject);
      socket.once("connect", () => resolve(new Client(socket)));
    });
  }

  send(data: string | Uint8Array): void {
    this.socket.write(typeof data === "string" ? Buffer.from(data, "latin1") : data);
  }

  /** FIN; still reads. */
  end(): void {
    this.socket.end();
  }

  /** RST, as a process that is killed with unread bytes does. */
  reset(): void {
    this.socket.resetAndDestroy();
  }

  /** Sends a request and reads its answer. */
  async ask(text: string): Promise<Answer> {
    this.send(text);
    return this.answer(text.startsWith("HEAD "));
  }

  /** The next answer, whole. */
  async answer(toHead = false): Promise<Answer> {
    const head = await this.takeHead();
    const status = Number(head.slice(9, 12));
    const field = (name: string): string | undefined =>
      new RegExp(`^${name}: *(.*)$`, "im").exec(head)?.[1]?.trim();
    const hasBody = !toHead && status >= 200 && status !== 204 && status !== 304;
    return { status, head, field, body: hasBody ? await this.#takeBody(field) : "" };
  }

  /** The next head, without its empty line. */
  async takeHead(): Promise<string> {
    await this.#until("a response head", () => this.received.includes("\r\n\r\n"));
    return this.#take(this.received.indexOf("\r\n\r\n"), 4);
  }

  /** Waits until what was received holds `text`. */
  async sees(text: string): Promise<void> {
    await this.#until(JSON.stringify(text), () => this.received.includes(text));
  }

  /** Waits until the gateway has closed, in order or not. */
  async closes(): Promise<void> {
    await eventually("the gateway closes the connection", () => this.hasEnded || this.isClosed);
    this.socket.destroy();
  }

  async #takeBody(field: Answer["field"]): Promise<string> {
    const length = field("content-length");
    if (length !== undefined) {
      await this.#until(`${length} bytes of body`, () => this.received.length >= Number(length));
      return this.#take(Number(length), 0);
    }
    if (field("transfer-encoding") === "chunked") return this.#takeChunks();
    await eventually("the end of the body", () => this.hasEnded || this.isClosed);
    return this.#take(this.received.length, 0);
  }

  async #takeChunks(): Promise<string> {
    let body = "";
    for (;;) {
      await this.#until("a chunk size", () => this.received.includes("\r\n"));
      const size = Number.parseInt(this.#take(this.received.indexOf("\r\n"), 2), 16);
      await this.#until("a chunk", () => this.received.length >= size + 2);
      body += this.#take(size, 2);
      if (size === 0) return body;
    }
  }

  /** Takes `length` characters and drops `skip` more. */
  #take(length: number, skip: number): string {
    const taken = this.received.slice(0, length);
    this.received = this.received.slice(length + skip);
    return taken;
  }

  async #until(what: string, holds: () => boolean): Promise<void> {
    await eventually(what, () => holds() || this.hasEnded || this.isClosed);
    if (!holds()) throw new Error(`the connection ended before ${what}; received: ${this.received}`);
  }
}

/** A GET on this path. */
export function get(path: string, ...fields: string[]): string {
  return request("GET", path, fields);
}

/** A POST with this body and its Content-Length. */
export function post(path: string, body: string, ...fields: string[]): string {
  return request("POST", path, [...fields, `Content-Length: ${body.length}`]) + body;
}

/** A request head. */
export function request(method: string, path: string, fields: readonly string[] = []): string {
  const hasHost = fields.some((field) => /^host:/i.test(field));
  return [`${method} ${path} HTTP/1.1`, ...(hasHost ? [] : ["Host: shop.example"]), ...fields, "\r\n"].join(
    "\r\n",
  );
}

/** A WebSocket handshake. */
export function upgrade(path: string): string {
  return get(path, "Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13");
}
