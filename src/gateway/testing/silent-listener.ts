/** A listening socket that nobody accepts from: once its queue is full, the kernel leaves connects unanswered. */
import { AF, addressOf, libc, SOCK } from "../io/transport/libc.ts";
import { decodePort, encodeSockaddr, SOCKADDR_BYTES } from "../io/transport/sockaddr.ts";
import { Client } from "./client.ts";

export class SilentListener {
  readonly address: string;
  readonly #port: number;
  readonly #fd: number;
  readonly #queued: Client[] = [];

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
    this.#queued.push(await Client.connect(this.#port));
  }

  stop(): void {
    for (const client of this.#queued) client.socket.destroy();
    libc()?.close(this.#fd);
  }
}
