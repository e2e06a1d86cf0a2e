/** A target in plain TCP: records every byte it gets, and answers by script. */
import { createServer, type Server, type Socket } from "node:net";
import { eventually, poke } from "../../base/testing.ts";

/** A request as it arrived: head without its empty line, body with its framing. */
export interface Arrival {
  readonly head: string;
  body: string;
  readonly connection: TargetConnection;
}

/** Says what a target does with a request whose head has arrived. A text is sent as it is. */
export type Script = (arrival: Arrival, count: number) => string | undefined | void;

/** One connection as the target sees it. */
export class TargetConnection {
  readonly socket: Socket;
  /** All bytes that came, as Latin-1. */
  received = "";
  bytesReceived = 0;
  hasEnded = false;
  isClosed = false;
  arrival: Arrival | undefined;
  bodyLeft = 0;
  buffered = "";

  constructor(socket: Socket) {
    this.socket = socket;
  }

  send(data: string | Uint8Array): void {
    this.socket.write(typeof data === "string" ? Buffer.from(data, "latin1") : data);
  }
}

export class Target {
  readonly arrivals: Arrival[] = [];
  readonly connections: TargetConnection[] = [];
  readonly #server: Server;
  script: Script;
  /** Keep what is received as text; off for large bodies. */
  keeps = true;
  /** Read nothing from connections that come from now on. */
  stalls = false;

  private constructor(script: Script) {
    this.script = script;
    this.#server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => this.#accept(socket));
  }

  static start(script: Script = answerOk, port = 0): Promise<Target> {
    const target = new Target(script);
    return new Promise((resolve) => {
      target.#server.listen(port, "127.0.0.1", () => resolve(target));
    });
  }

  get port(): number {
    const address = this.#server.address();
    return typeof address === "object" && address !== null ? address.port : 0;
  }
  get address(): string {
    return `127.0.0.1:${this.port}`;
  }
  /** Connections on which the gateway may still send. */
  get open(): number {
    return this.connections.filter(({ hasEnded, isClosed }) => !hasEnded && !isClosed).length;
  }
  /** The connection that the last request came on (health checks come on connections of their own), else the last one. */
  get last(): TargetConnection {
    const last = this.arrivals.at(-1)?.connection ?? this.connections.at(-1);
    if (last === undefined) throw new Error("nobody has connected to this target");
    return last;
  }

  async arrived(count: number): Promise<void> {
    await eventually(`${count} requests at the target`, () => this.arrivals.length >= count);
  }

  stop(): void {
    this.#server.close();
    for (const { socket } of this.connections) socket.destroy();
  }

  #accept(socket: Socket): void {
    const connection = new TargetConnection(socket);
    this.connections.push(connection);
    poke();
    if (this.stalls) socket.pause();
    socket.on("data", (chunk: Buffer) => this.#read(connection, chunk));
    socket.on("error", () => {});
    socket.on("end", () => {
      connection.hasEnded = true;
      poke();
      if (connection.arrival === undefined) socket.end();
    });
    socket.on("close", () => {
      connection.isClosed = true;
      poke();
    });
  }

  #read(connection: TargetConnection, chunk: Buffer): void {
    connection.bytesReceived += chunk.length;
    if (!this.keeps) return;
    const text = chunk.toString("latin1");
    connection.received += text;
    connection.buffered += text;
    while (this.#readOne(connection));
    poke();
  }

  /** Takes a head, or more of the body of the one before; true when there may be more to take. */
  #readOne(connection: TargetConnection): boolean {
    const { arrival, buffered } = connection;
    if (arrival !== undefined && connection.bodyLeft > 0) {
      const part = buffered.slice(0, connection.bodyLeft);
      arrival.body += part;
      connection.bodyLeft -= part.length;
      connection.buffered = buffered.slice(part.length);
      return connection.buffered !== "";
    }
    const end = buffered.indexOf("\r\n\r\n");
    if (end < 0) return false;
    connection.buffered = buffered.slice(end + 4);
    this.#arrive(connection, buffered.slice(0, end));
    return connection.buffered !== "";
  }

  #arrive(connection: TargetConnection, head: string): void {
    const length = Number(/^content-length: *(\d+)$/im.exec(head)?.[1] ?? 0);
    const isChunked = /^transfer-encoding: *chunked$/im.test(head);
    const arrival: Arrival = { head, body: "", connection };
    connection.arrival = arrival;
    connection.bodyLeft = isChunked ? Number.POSITIVE_INFINITY : length;
    this.arrivals.push(arrival);
    const answer = this.script(arrival, this.arrivals.length);
    if (typeof answer !== "string") return;
    if (answer.startsWith("HTTP/1.1 101")) connection.bodyLeft = Number.POSITIVE_INFINITY;
    connection.send(answer);
  }
}

/** A 200 with this body. */
export function ok(body: string, ...fields: string[]): string {
  return ["HTTP/1.1 200 OK", ...fields, `Content-Length: ${body.length}`, "", body].join("\r\n");
}

/** Answers each request with its own request line. */
function answerOk({ head }: Arrival): string {
  return ok(head.slice(0, head.indexOf("\r\n")));
}

/** Answers with 101 and echoes what comes after. */
export function echoTunnel({ connection }: Arrival): string {
  connection.socket.on("data", (chunk: Buffer) => connection.socket.write(chunk));
  return "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n";
}
