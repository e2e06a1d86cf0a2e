/**
 * A DNS server's sockets: UDP, and TCP with its two bytes of length before each message (RFC 1035 §4.2, RFC 7766).
 *
 * Bounds: what a client may send, how many connections there are and how long one may idle, what waits to be sent to a
 * slow one. Whoever goes beyond a bound loses its connection, not the server.
 */
import type { Socket } from "bun";
import { type Cancel, type Clock, type Scheduler, systemClock, systemScheduler } from "../../base/index.ts";
import type { Address } from "../../config/index.ts";
import type { DnsQuery } from "../answer.ts";
import type { PrefixLimiter } from "../limiter.ts";
import { truncatedReply } from "../question.ts";

/** No query is longer: a name, and a few options. */
const QUERY_BYTES_MAX = 4096;
const CONNECTIONS_MAX = 512;
/** RFC 7766 §6.2.3 asks for "a few seconds". */
const IDLE_MS = 10_000;
/** How often connections are looked at. */
const SWEEP_MS = 1000;
/** Answers that a slow client lets wait. */
const BACKLOG_BYTES_MAX = 65_536;

/** What is done with queries. */
export interface DnsServerOptions {
  readonly address: Address;
  readonly answer: (query: DnsQuery) => Uint8Array | undefined;
  readonly limiter: PrefixLimiter;
  readonly clock?: Clock;
  readonly scheduler?: Scheduler;
}

/** What the server did. */
export interface DnsCounts {
  udp: number;
  tcp: number;
  /** Without an answer: no query, not to be read, beyond a bound. */
  dropped: number;
  /** Told to come by TCP, or dropped, for coming too often. */
  limited: number;
}

interface Connection {
  input: Uint8Array;
  output: Uint8Array;
  activeMs: number;
}

type Client = Socket<Connection>;

const NOTHING = new Uint8Array(0);

/** A running server. */
export class DnsServer {
  readonly counts: DnsCounts = { udp: 0, tcp: 0, dropped: 0, limited: 0 };
  readonly #options: DnsServerOptions;
  readonly #clock: Clock;
  readonly #clients = new Set<Client>();
  #udp: Bun.udp.Socket<"buffer"> | undefined;
  #tcp: Bun.TCPSocketListener<Connection> | undefined;
  #cancel: Cancel = () => {};

  private constructor(options: DnsServerOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
  }

  /** Opens both sockets on the same port. Rejects with the system's error when one cannot be opened. */
  static async open(options: DnsServerOptions): Promise<DnsServer> {
    const server = new DnsServer(options);
    try {
      await server.#open();
    } catch (error) {
      server.stop();
      throw error;
    }
    return server;
  }

  /** Where it listens. */
  get address(): Address {
    return { host: this.#options.address.host, port: this.#udp?.port ?? 0 };
  }

  stop(): void {
    this.#cancel();
    this.#udp?.close();
    this.#tcp?.stop(true);
  }

  async #open(): Promise<void> {
    const { host, port } = this.#options.address;
    this.#tcp = Bun.listen<Connection>({
      hostname: host,
      port,
      socket: {
        open: (socket) => this.#opened(socket),
        data: (socket, bytes) => this.#received(socket, bytes),
        drain: (socket) => this.#flush(socket),
        close: (socket) => void this.#clients.delete(socket),
        error: (socket) => socket.terminate(),
      },
    });
    this.#udp = await Bun.udpSocket({
      hostname: host,
      port: this.#tcp.port,
      socket: {
        data: (_socket, bytes, senderPort, source) => this.#datagram(bytes, source, senderPort),
        error: () => {}, // somebody who asked has gone: nothing is owed to them
      },
    });
    this.#sweepLater();
  }

  #datagram(bytes: Uint8Array, source: string, port: number): void {
    this.counts.udp++;
    const verdict = this.#options.limiter.take(source);
    if (verdict !== "answer") this.counts.limited++;
    const reply = verdict === "drop" ? undefined : this.#replyTo(bytes, source, verdict);
    if (reply === undefined) this.counts.dropped++;
    else this.#send(reply, port, source);
  }

  /** What the kernel has no room for is lost, as any datagram may be. */
  #send(reply: Uint8Array, port: number, source: string): void {
    try {
      this.#udp?.send(reply, port, source);
    } catch {
      // Linux tells of an earlier answer that found a closed port in place of sending this one. Once told it is forgotten.
      try {
        this.#udp?.send(reply, port, source);
      } catch {
        this.counts.dropped++;
      }
    }
  }

  #replyTo(bytes: Uint8Array, source: string, verdict: "answer" | "truncate"): Uint8Array | undefined {
    if (bytes.length > QUERY_BYTES_MAX) return undefined;
    return verdict === "truncate"
      ? truncatedReply(bytes)
      : this.#options.answer({ bytes, source, transport: "udp" });
  }

  // --- TCP ----------------------------------------------------------------------------------------------------

  #opened(socket: Client): void {
    socket.data = { input: NOTHING, output: NOTHING, activeMs: this.#clock.nowMs() };
    if (this.#clients.size >= CONNECTIONS_MAX) socket.terminate();
    else this.#clients.add(socket);
  }

  #received(socket: Client, bytes: Uint8Array): void {
    const connection = socket.data;
    connection.activeMs = this.#clock.nowMs();
    connection.input = joined(connection.input, bytes);
    for (let query = this.#next(socket); query !== undefined; query = this.#next(socket)) {
      this.counts.tcp++;
      const reply = this.#options.answer({ bytes: query, source: socket.remoteAddress, transport: "tcp" });
      if (reply === undefined) {
        this.counts.dropped++;
        socket.terminate();
        return;
      }
      connection.output = joined(connection.output, framed(reply));
    }
    this.#flush(socket);
  }

  /** Takes the next whole query off the input. */
  #next(socket: Client): Uint8Array | undefined {
    const { input } = socket.data;
    if (input.length < 2) return undefined;
    const length = ((input[0] ?? 0) << 8) | (input[1] ?? 0);
    if (length > QUERY_BYTES_MAX) socket.terminate();
    if (length > QUERY_BYTES_MAX || input.length < 2 + length) return undefined;
    socket.data.input = input.subarray(2 + length);
    return input.subarray(2, 2 + length);
  }

  #flush(socket: Client): void {
    const { output } = socket.data;
    if (output.length === 0) return;
    const sent = socket.write(output);
    socket.data.output = output.subarray(Math.max(0, sent));
    if (socket.data.output.length > BACKLOG_BYTES_MAX) socket.terminate();
  }

  #sweepLater(): void {
    const { scheduler = systemScheduler } = this.#options;
    this.#cancel = scheduler.after(SWEEP_MS, () => {
      const sinceMs = this.#clock.nowMs() - IDLE_MS;
      for (const socket of this.#clients) if (socket.data.activeMs < sinceMs) socket.end();
      this.#sweepLater();
    });
  }
}

function joined(a: Uint8Array, b: Uint8Array): Uint8Array {
  const whole = new Uint8Array(a.length + b.length);
  whole.set(a);
  whole.set(b, a.length);
  return whole;
}

function framed(message: Uint8Array): Uint8Array {
  return joined(Uint8Array.of(message.length >> 8, message.length & 0xff), message);
}
