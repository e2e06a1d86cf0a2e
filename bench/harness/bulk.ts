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
    void serve(socket);
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

async function serve(socket: Socket): Promise<void> {
  const { head, bytes } = await receive(socket, (text) => numberIn(text, "content-length"));
  const wanted = numberIn(head, "x-bytes");
  if (head.startsWith("GET ")) {
    socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${wanted}\r\nConnection: close\r\n\r\n`);
    return pump(socket, wanted, () => socket.end());
  }
  const body = String(bytes);
  socket.end(`HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\nConnection: close\r\n\r\n${body}`);
}

async function download(port: number, bytes: number): Promise<number> {
  const socket = connect(port, "127.0.0.1");
  const received = receive(socket, () => bytes);
  socket.write(`GET /bulk HTTP/1.1\r\nHost: bench.test\r\nX-Bytes: ${bytes}\r\n\r\n`);
  const { bytes: count } = await received;
  socket.destroy();
  return count;
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

/** Writes `left` bytes as fast as the other side takes them, then calls `done`. */
function pump(socket: Socket, left: number, done: () => void = () => {}): void {
  let rest = left;
  while (rest > 0) {
    const size = Math.min(rest, PIECE.length);
    rest -= size;
    if (!socket.write(size === PIECE.length ? PIECE : PIECE.subarray(0, size))) break;
  }
  if (rest > 0) socket.once("drain", () => pump(socket, rest, done));
  else done();
}

/** Reads a head and then its body in stretches; fewer bytes than `expected` when the other side closed before. */
function receive(
  socket: Socket,
  expected: (head: string) => number,
): Promise<{ head: string; bytes: number }> {
  return new Promise((resolve) => {
    let head = "";
    let bytes = 0;
    let stretch = 0;
    let total = Number.NaN;
    socket.once("close", () => resolve({ head, bytes }));
    socket.on("data", (piece: Buffer) => {
      bytes += piece.length;
      if (Number.isNaN(total)) {
        head += piece.toString("latin1");
        const end = head.indexOf("\r\n\r\n");
        if (end === -1) return;
        total = expected(head);
        bytes = head.length - (end + 4);
      }
      if (bytes >= total) return resolve({ head, bytes });
      stretch += piece.length;
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
