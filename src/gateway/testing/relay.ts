/**
 * A TCP relay with the delay of a distance, and a switch that cuts it: what lies between two regions, over loopback.
 *
 * Bytes that arrive are passed on so many milliseconds later, in order, in each direction; so a connection takes a round trip
 * to open at the far side, as a real one does. Cut, it refuses what is new and resets what is open.
 */
import { createConnection, createServer, type Server, type Socket } from "node:net";

export class Relay {
  readonly #server: Server;
  readonly #to: { readonly host: string; readonly port: number };
  readonly #sockets = new Set<Socket>();
  /** One-way, for bytes that arrive from now on. */
  delayMs: number;
  /** Bytes passed on towards the far side, and back. */
  forthBytes = 0;
  backBytes = 0;
  #isCut = false;
  readonly #waiting: { readonly atMs: number; readonly pass: () => void }[] = [];
  #timer: ReturnType<typeof setTimeout> | undefined;

  private constructor(port: number, delayMs: number, host: string) {
    this.#to = { host, port };
    this.delayMs = delayMs;
    this.#server = createServer({ allowHalfOpen: true, noDelay: true }, (near) => this.#accept(near));
  }

  /** Listens on a free port of loopback, on the way to `port`. */
  static start(port: number, delayMs = 0, host = "127.0.0.1"): Promise<Relay> {
    const relay = new Relay(port, delayMs, host);
    return new Promise((resolve) => {
      relay.#server.listen(0, "127.0.0.1", 4096, () => resolve(relay));
    });
  }

  get port(): number {
    const address = this.#server.address();
    return typeof address === "object" && address !== null ? address.port : 0;
  }
  get address(): string {
    return `127.0.0.1:${this.port}`;
  }
  get isCut(): boolean {
    return this.#isCut;
  }

  /** Cuts the way, or mends it. */
  set isCut(isCut: boolean) {
    this.#isCut = isCut;
    if (isCut) for (const socket of this.#sockets) socket.resetAndDestroy();
  }

  stop(): void {
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
  }

  #accept(near: Socket): void {
    if (this.#isCut) return void near.resetAndDestroy();
    const far = createConnection({ ...this.#to, allowHalfOpen: true, noDelay: true });
    this.#carry(near, far, (bytes) => (this.forthBytes += bytes));
    this.#carry(far, near, (bytes) => (this.backBytes += bytes));
  }

  #carry(from: Socket, to: Socket, count: (bytes: number) => void): void {
    this.#sockets.add(from);
    from.on("data", (chunk: Buffer) => {
      this.#later(() => {
        count(chunk.length);
        if (!to.destroyed) to.write(chunk);
      });
    });
    from.on("end", () => this.#later(() => to.end()));
    from.on("error", () => {});
    from.on("close", () => {
      this.#sockets.delete(from);
      this.#later(() => to.destroy());
    });
  }

  /** One queue: bytes never overtake each other, also when the delay is made shorter. */
  #later(pass: () => void): void {
    const lastMs = this.#waiting.at(-1)?.atMs ?? 0;
    this.#waiting.push({ atMs: Math.max(lastMs, performance.now() + this.delayMs), pass });
    if (this.delayMs === 0) this.#passDue();
    this.#watch();
  }

  #passDue(): void {
    for (
      let [first] = this.#waiting;
      first !== undefined && first.atMs <= performance.now();
      [first] = this.#waiting
    ) {
      this.#waiting.shift();
      first.pass();
    }
  }

  #watch(): void {
    const [first] = this.#waiting;
    if (first === undefined || this.#timer !== undefined) return;
    this.#timer = setTimeout(
      () => {
        this.#timer = undefined;
        this.#passDue();
        this.#watch();
      },
      Math.max(0, first.atMs - performance.now()),
    );
  }
}
