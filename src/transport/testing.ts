/** A listening socket that nobody accepts from: once its queue is full, the kernel leaves connects unanswered. */
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { AF, addressOf, libc, SOCK } from "./io/libc.ts";
import { decodePort, encodeSockaddr, SOCKADDR_BYTES } from "./io/sockaddr.ts";

export class SilentListener {
  /** False where there is no glibc. */
  static readonly isPossible: boolean = libc() !== undefined;

  readonly address: string;
  readonly #port: number;
  readonly #fd: number;
  readonly #queued: Socket[] = [];

  /** Throws where there is no glibc: Bun's and Node's own listeners accept whatever comes. */
  constructor() {
    const calls = libc();
    const any = encodeSockaddr("127.0.0.1", 0);
    if (calls === undefined || any === undefined) throw new Error("a silent listener needs glibc");
    this.#fd = calls.socket(AF.inet, SOCK.stream | SOCK.cloexec, 0);
    calls.bind(this.#fd, addressOf(any), any.length);
    calls.listen(this.#fd, 0);
    const bound = new Uint8Array(SOCKADDR_BYTES);
    calls.getsockname(this.#fd, addressOf(bound), addressOf(new Int32Array([bound.length])));
    this.#port = decodePort(bound);
    this.address = `127.0.0.1:${this.#port}`;
  }

  /** Takes the one place that a queue of length 0 has. */
  async fill(): Promise<void> {
    const socket = connect(this.#port, "127.0.0.1");
    this.#queued.push(socket);
    await once(socket, "connect");
  }

  stop(): void {
    for (const socket of this.#queued) socket.destroy();
    libc()?.close(this.#fd);
  }
}
