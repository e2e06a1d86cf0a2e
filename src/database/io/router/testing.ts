/** Builders for tests of the router: a worker in this process in front of a real server, and a client of raw messages. */
import { randomBytes } from "node:crypto";
import { connect, type Socket } from "node:net";
import { Client, type ClientConfig } from "pg";
import { createLog, seededRandom, systemClock, systemScheduler } from "../../../base/index.ts";
import { eventually } from "../../../base/testing.ts";
import {
  BACKEND_FRAMES,
  FrameScanner,
  type FrameTable,
  MessageWriter,
  writeStartup,
} from "../../../pgwire/index.ts";
import type { Transport } from "../../../transport/index.ts";
import { createTransport } from "../../../transport/io/index.ts";
import type { ClusterServer, ClusterView } from "../../view.ts";
import type { RouterParts, RouterSettings } from "./router-settings.ts";
import { RouterWorker } from "./router-worker.ts";

/** A router in this process. */
export interface TestRouter {
  readonly port: number;
  readonly worker: RouterWorker;
  /** A connected client of `pg`; closed with the router. */
  readonly client: (config?: ClientConfig) => Promise<Client>;
  readonly raw: (parameters?: Record<string, string>, version?: number) => Promise<RawClient>;
  readonly stop: () => Promise<void>;
}

/** A cluster of one server on loopback. */
export function viewOf(port: number, state: ClusterView["state"] = "steady", revision = 1): ClusterView {
  const server = {
    name: "a",
    host: "127.0.0.1",
    port,
    role: "primary",
    timeline: 1,
    eligible: true,
  } as const;
  return { revision, name: "main", term: 1, state, primary: "a", servers: [server], mode: "async" };
}

/** Lines of pg_hba.conf of a server with replicas. */
export const REPLICATED = "host all all 127.0.0.1/32 trust\nhost replication all 127.0.0.1/32 trust\n";

/** A cluster on loopback: "a" is the primary, "b", "c" … are its replicas. Their timelines are not known. */
export function clusterOf(primary: number, replicas: readonly number[], revision = 1): ClusterView {
  const server = (port: number, at: number): ClusterServer => ({
    name: String.fromCharCode(97 + at),
    host: "127.0.0.1",
    port,
    role: at === 0 ? "primary" : "replica",
    timeline: 0,
    eligible: true,
  });
  return { ...viewOf(primary, "steady", revision), servers: [primary, ...replicas].map(server) };
}

/** How long clients may take to say goodbye. */
const END_MS = 2000;

let transport: Transport | undefined;

/** The transport that all tests of a file share. */
function sharedTransport(): Transport {
  if (transport === undefined) {
    transport = createTransport(process.env["TENFOLD_TRANSPORT"]);
    transport.start();
  }
  return transport;
}

/** Starts a router in front of the server at `serverPort`. */
export function startRouter(
  serverPort: number,
  settings: Partial<RouterSettings> = {},
  parts: Partial<RouterParts> = {},
  view: ClusterView = viewOf(serverPort),
): TestRouter {
  const log = createLog({ clock: systemClock, level: "error", write: (line) => process.stderr.write(line) });
  const worker = new RouterWorker(
    { address: { host: "127.0.0.1", port: 0 }, workerId: 3, authentication: "trust", ...settings },
    view,
    {
      transport: sharedTransport(),
      clock: systemClock,
      random: seededRandom(1),
      scheduler: systemScheduler,
      log,
      randomBytes: (length) => new Uint8Array(randomBytes(length)),
      ...parts,
    },
  );
  const { port } = worker.start();
  const clients: Client[] = [];
  const raws: RawClient[] = [];
  return {
    port,
    worker,
    client: async (config = {}) => {
      const client = new Client({
        host: "127.0.0.1",
        port,
        user: "postgres",
        database: "postgres",
        ...config,
      });
      client.on("error", () => {});
      clients.push(client);
      await client.connect();
      return client;
    },
    raw: async (parameters = {}, version) => {
      const raw = new RawClient(port);
      raws.push(raw);
      raw.startup({ user: "postgres", database: "postgres", ...parameters }, version);
      await raw.until("Z");
      return raw;
    },
    stop: async () => {
      for (const raw of raws) raw.socket.destroy();
      // One that is still connecting never ends.
      const patience = new Promise<void>((resolve) => systemScheduler.after(END_MS, resolve));
      await Promise.race([Promise.allSettled(clients.map((client) => client.end())), patience]);
      worker.stop();
    },
  };
}

/** All frames whole. */
const WHOLE: FrameTable = {
  longest: BACKEND_FRAMES.longest,
  head: BACKEND_FRAMES.longest.map((longest) => longest),
};

/** A client that sends what it is told, and keeps what it gets. */
export class RawClient {
  readonly socket: Socket;
  readonly writer: MessageWriter = new MessageWriter();
  /** What came: type and body as text. */
  readonly messages: { type: string; body: string }[] = [];
  isClosed = false;
  readonly #scanner = new FrameScanner(WHOLE);
  /** Answers to TLS and GSSAPI requests, which are single bytes. */
  bytesExpected = 0;

  constructor(port: number) {
    this.socket = connect(port, "127.0.0.1");
    this.socket.on("error", () => {});
    this.socket.on("close", () => (this.isClosed = true));
    this.socket.on("data", (bytes: Uint8Array) => this.#received(bytes));
  }

  startup(parameters: Record<string, string>, version?: number): void {
    writeStartup(this.writer, Object.entries(parameters), version);
    this.send();
  }
  /** Sends what was written. */
  send(): void {
    this.socket.write(this.writer.take());
  }
  /** Adds a message. */
  add(type: string, body: string | Uint8Array = ""): this {
    this.writer
      .begin(type.charCodeAt(0))
      .raw(typeof body === "string" ? Buffer.from(body, "latin1") : body)
      .end();
    return this;
  }

  /** Waits for the `count`th message of a type from now on; returns the types of all that came. */
  async until(type: string, count = 1, withinMs?: number): Promise<string> {
    await eventually(
      `${count} messages "${type}"`,
      () => this.types.split(type).length > count || this.isClosed,
      withinMs,
    );
    return this.types;
  }
  get types(): string {
    return this.messages.map((message) => message.type).join("");
  }
  /** Forgets what came. */
  clear(): void {
    this.messages.length = 0;
  }
  /** Bodies of the messages of a type. */
  bodies(type: string): string[] {
    return this.messages.filter((message) => message.type === type).map(({ body }) => body);
  }
  /** SQLSTATE of each error. */
  get errors(): string[] {
    return this.bodies("E").map((body) => /\0C(\w{5})\0/.exec(body)?.[1] ?? "?");
  }

  #received(bytes: Uint8Array): void {
    let start = 0;
    for (; this.bytesExpected > 0 && start < bytes.length; start++, this.bytesExpected--)
      this.messages.push({ type: String.fromCharCode(bytes[start] ?? 0), body: "" });
    const scanner = this.#scanner;
    scanner.push(bytes, start, bytes.length);
    for (let outcome = scanner.next(); outcome === "frame"; outcome = scanner.next()) {
      const body = Buffer.from(scanner.bytes.slice(scanner.start + 5, scanner.end)).toString("latin1");
      this.messages.push({ type: String.fromCharCode(scanner.type), body });
    }
  }
}

/** Rows of a query, each as its values. */
export async function values(client: Client, sql: string, parameters?: unknown[]): Promise<unknown[][]> {
  const { rows } = await client.query({
    text: sql,
    rowMode: "array",
    ...(parameters === undefined ? {} : { values: parameters }),
  });
  return rows as unknown[][];
}

/** The one value of a query. */
export async function value(client: Client, sql: string, parameters?: unknown[]): Promise<unknown> {
  return (await values(client, sql, parameters))[0]?.[0];
}

/** The SQLSTATE that a promise is rejected with. */
export function sqlState(attempt: Promise<unknown>): Promise<string> {
  return attempt.then(
    () => "no error",
    (error: { code?: string; message: string }) => error.code ?? error.message,
  );
}
