/**
 * The target behind the proxy under test: it keeps every byte, answers each complete request with 200 and the body
 * that it got, and notes whatever it could not read in exactly one way.
 */
import { createServer, type Server, type Socket } from "node:net";
import { type Message, readRequest, valuesOf } from "./strict-reader.ts";

/** What reached the origin since the last `take`. */
export interface Reached {
  /** Complete requests, in order of their completion. */
  readonly requests: readonly Message[];
  /** What had several readings. */
  readonly ambiguities: readonly string[];
}

/** A listening origin. */
export class RecordingOrigin {
  readonly port: number;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #requests: Message[] = [];
  #ambiguities: string[] = [];

  private constructor(server: Server, port: number) {
    this.#server = server;
    this.port = port;
    server.on("connection", (socket) => this.#serve(socket));
  }

  /** Listens on a free loopback port. */
  static start(): Promise<RecordingOrigin> {
    const server = createServer({ noDelay: true });
    return new Promise((resolve) => {
      server.listen(0, "127.0.0.1", () => {
        const address = server.address();
        resolve(new RecordingOrigin(server, typeof address === "object" ? (address?.port ?? 0) : 0));
      });
    });
  }

  /** What arrived since the last call. */
  take(): Reached {
    const reached = { requests: this.#requests, ambiguities: this.#ambiguities };
    this.#requests = [];
    this.#ambiguities = [];
    return reached;
  }

  /** Closes the listener and every connection. */
  stop(): void {
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
  }

  #serve(socket: Socket): void {
    let text = "";
    let continued = false;
    this.#sockets.add(socket);
    socket.setEncoding("latin1");
    socket.on("error", () => socket.destroy());
    socket.on("close", () => this.#sockets.delete(socket));
    socket.on("data", (piece: string) => {
      text += piece;
      let reading = readRequest(text, 0);
      for (; reading.kind === "message"; reading = readRequest(text, 0)) {
        this.#requests.push(reading);
        answer(socket, reading);
        text = text.slice(reading.end);
        continued = false;
      }
      if (reading.kind === "ambiguous") this.#refuse(socket, reading.what);
      else if (reading.head && !continued && valuesOf(reading.head, "expect").length > 0) {
        continued = true;
        socket.write("HTTP/1.1 100 Continue\r\n\r\n");
      }
    });
  }

  #refuse(socket: Socket, what: string): void {
    this.#ambiguities.push(what);
    socket.end("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
  }
}

function answer(socket: Socket, request: Message): void {
  const closes = valuesOf(request, "connection").includes("close") || request.startLine.endsWith("1.0");
  const body = request.startLine.startsWith("HEAD ") ? "" : request.body;
  const connection = closes ? "Connection: close\r\n" : "";
  socket.write(
    `HTTP/1.1 200 OK\r\nContent-Length: ${request.body.length}\r\n${connection}\r\n${body}`,
    "latin1",
  );
  if (closes) socket.end();
}
