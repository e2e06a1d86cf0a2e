/**
 * Bodies of gigabytes in both directions, between a fast end and a slow one, with nothing kept.
 *
 * The slow end reads a stretch at full speed and then stops for a moment, again and again: at each stop everything
 * between the two ends fills up, and a proxy without backpressure would have to keep the rest in memory.
 */
import { connect, createServer, type Server, type Socket } from "node:net";

/** Which way the body goes: from the target to the client, or back. */
export type Direction = "download" | "upload";

/** The slow end stops after so many bytes, for so long: 4 GiB take 64 stops. */
const STRETCH_BYTES = 64 * 2 ** 20;
const STOP_MS = 100;

const PIECE = Buffer.alloc(256 * 1024, "x");

/** A target that sends `X-Bytes` bytes to a GET and swallows, slowly, whatever is posted. */
export function startBulkTarget(): Promise<{ port: number; server: Server }> {
  const server = createServer((socket) => {
    socket.on("error", () => socket.destroy());
    socket.once("data", (first) => serve(socket, Buffer.from(first)));
  });
  return new Promise((resolve) => {
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      resolve({ server, port: typeof address === "object" ? (address?.port ?? 0) : 0 });
    });
  });
}

/** Moves `bytes` through the proxy on `port`; resolves with the bytes that the far end counted. */
export function transfer(direction: Direction, port: number, bytes: number): Promise<number> {
  return direction === "download" ? download(port, bytes) : upload(port, bytes);
}

function serve(socket: Socket, first: Buffer): void {
  const text = first.toString("latin1");
  if (text.startsWith("GET ")) {
    const bytes = numberIn(text, "x-bytes");
    socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${bytes}\r\n\r\n`);
    return pump(socket, bytes);
  }
  const bytes = numberIn(text, "content-length");
  const early = first.length - (text.indexOf("\r\n\r\n") + 4);
  void readSlowly(socket, bytes - early).then((rest) => {
    const body = String(rest + early);
    socket.end(`HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\nConnection: close\r\n\r\n${body}`);
  });
}

function download(port: number, bytes: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, "127.0.0.1");
    socket.once("error", reject);
    socket.write(`GET /bulk HTTP/1.1\r\nHost: bench.test\r\nX-Bytes: ${bytes}\r\n\r\n`);
    socket.once("data", (first: Buffer) => {
      const early = first.length - (first.indexOf("\r\n\r\n") + 4);
      void readSlowly(socket, bytes - early).then((rest) => {
        socket.destroy();
        resolve(rest + early);
      });
    });
  });
}

function upload(port: number, bytes: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, "127.0.0.1");
    let answer = "";
    socket.once("error", reject);
    socket.on("data", (piece: Buffer) => (answer += piece.toString("latin1")));
    socket.on("close", () => resolve(Number(answer.split("\r\n\r\n")[1] ?? Number.NaN)));
    socket.write(
      `POST /bulk HTTP/1.1\r\nHost: bench.test\r\nConnection: close\r\nContent-Length: ${bytes}\r\n\r\n`,
    );
    pump(socket, bytes);
  });
}

/** Writes `left` bytes as fast as the other side takes them. */
function pump(socket: Socket, left: number): void {
  while (left > 0) {
    const size = Math.min(left, PIECE.length);
    left -= size;
    if (!socket.write(size === PIECE.length ? PIECE : PIECE.subarray(0, size))) break;
  }
  const rest = left;
  if (rest > 0) socket.once("drain", () => pump(socket, rest));
}

/** Reads `bytes` in stretches; resolves with the count, smaller when the other side closed before. */
function readSlowly(socket: Socket, bytes: number): Promise<number> {
  return new Promise((resolve) => {
    let count = 0;
    let stretch = 0;
    const finish = (): void => resolve(count);
    socket.once("close", finish);
    if (bytes === 0) finish();
    socket.on("data", (piece: Buffer) => {
      count += piece.length;
      stretch += piece.length;
      if (count >= bytes) return finish();
      if (stretch < STRETCH_BYTES) return;
      stretch = 0;
      socket.pause();
      setTimeout(() => socket.resume(), STOP_MS);
    });
  });
}

function numberIn(head: string, name: string): number {
  return Number(new RegExp(`^${name}: *(\\d+)`, "im").exec(head)?.[1] ?? 0);
}
