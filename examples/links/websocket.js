// The server's side of WebSocket (RFC 6455), as little of it as a one-way feed needs.
//
// We send text; the client sends nothing but ping, pong and close. Frames from the client are masked, ours are not.
//
//    byte 0: FIN, opcode | byte 1: MASK, length (126: 16 bits follow, 127: 64 bits) | mask, 4 bytes | payload
import { createHash } from "node:crypto";

const GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"; // RFC 6455, section 1.3
const OPCODE = { text: 0x1, close: 0x8, ping: 0x9, pong: 0xa };

/** Bytes that may wait for a client that does not read; beyond it the client is dropped, others go on. */
const UNSENT_BYTES_MAX = 1 << 20;

/** Largest payload of a control frame (section 5.5). A longer frame is not for us. */
const CONTROL_BYTES_MAX = 125;

/**
 * Accepts an upgrade. Returns undefined after refusing one that is not WebSocket 13.
 * @param {import("node:http").IncomingMessage} request
 * @param {import("node:net").Socket} socket
 * @param {Buffer} head what the client sent right after its request
 */
export function acceptWebSocket(request, socket, head) {
  const key = request.headers["sec-websocket-key"];
  if (!key || request.headers["sec-websocket-version"] !== "13") {
    socket.end("HTTP/1.1 426 Upgrade Required\r\nSec-WebSocket-Version: 13\r\nConnection: close\r\n\r\n");
    return undefined;
  }
  if (head.length > 0) socket.unshift(head);
  const accept = createHash("sha1")
    .update(key + GUID)
    .digest("base64");
  socket.write(
    "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
      `Sec-WebSocket-Accept: ${accept}\r\n\r\n`,
  );
  return openChannel(socket);
}

function openChannel(socket) {
  const send = (opcode, payload) => {
    if (socket.writable) socket.write(frame(opcode, payload));
    if (socket.writableLength > UNSENT_BYTES_MAX) socket.destroy();
  };
  const close = (code) => {
    send(OPCODE.close, Buffer.from([code >> 8, code & 0xff]));
    socket.end();
  };
  let unread = Buffer.alloc(0);
  socket.on("data", (chunk) => {
    unread = Buffer.concat([unread, chunk]);
    for (let next = readFrame(unread); next; next = readFrame(unread)) {
      unread = unread.subarray(next.size);
      if (next.opcode === OPCODE.ping) send(OPCODE.pong, next.payload);
      if (next.opcode === OPCODE.close) close(1000);
      if (next.tooLong) close(1009);
    }
  });
  socket.on("error", () => socket.destroy()); // a client that vanished is not our error
  return {
    send: (text) => send(OPCODE.text, Buffer.from(text)),
    close,
    onClose: (run) => socket.on("close", run),
  };
}

function frame(opcode, payload) {
  const { length } = payload;
  const head = length < 126 ? [length] : [126, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from([0x80 | opcode, ...head]), payload]);
}

/** The first whole frame of `bytes`, unmasked; undefined when there is none yet. */
function readFrame(bytes) {
  if (bytes.length < 2) return undefined;
  const length = bytes[1] & 0x7f;
  if (length > CONTROL_BYTES_MAX) return { opcode: 0, tooLong: true, size: bytes.length };
  const size = 6 + length;
  if (bytes.length < size) return undefined;
  const mask = bytes.subarray(2, 6);
  const payload = Buffer.from(bytes.subarray(6, size).map((byte, i) => byte ^ mask[i & 3]));
  return { opcode: bytes[0] & 0x0f, payload, tooLong: false, size };
}
