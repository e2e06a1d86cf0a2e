/** Several requests on one connection, and when it ends. RFC 9112 section 9. */
import { accept, type Case, HOST, may, must } from "../case.ts";

const GET = `GET / HTTP/1.1\r\n${HOST}\r\n`;
const POST = `POST / HTTP/1.1\r\n${HOST}`;

export const CONNECTIONS: readonly Case[] = [
  accept("one GET", GET, { target: "/" }),
  accept("one HEAD", `HEAD / HTTP/1.1\r\n${HOST}\r\n`, { target: "/" }),
  accept("two requests at once", GET + GET, { count: 2 }),
  accept("fifty requests at once", GET.repeat(50), { count: 50 }),
  accept("a request behind a body of given length", `${POST}Content-Length: 5\r\n\r\nhello${GET}`, {
    count: 2,
    body: "hello",
  }),
  accept("a request behind a body of no bytes", `${POST}Content-Length: 0\r\n\r\n${GET}`, {
    count: 2,
    body: "",
  }),
  accept(
    "a request behind a chunked body",
    `${POST}Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n${GET}`,
    {
      count: 2,
      body: "hello",
    },
  ),
  accept("a request behind HEAD", `HEAD / HTTP/1.1\r\n${HOST}\r\n${GET}`, { count: 2 }),
  accept("Connection: close", `GET / HTTP/1.1\r\n${HOST}Connection: close\r\n\r\n`, { closes: true }),
  accept(
    "nothing is read behind Connection: close",
    `GET / HTTP/1.1\r\n${HOST}Connection: close\r\n\r\n${GET}`,
    {
      closes: true,
    },
  ),
  accept("HTTP/1.0 closes unless asked", `GET / HTTP/1.0\r\n${HOST}\r\n`, { closes: true }),
  accept("HTTP/1.0 that asks for keep-alive", `GET / HTTP/1.0\r\n${HOST}Connection: keep-alive\r\n\r\n`),
  accept(
    "a body that was announced with 100-continue",
    `${POST}Expect: 100-continue\r\nContent-Length: 5\r\n\r\nhello`,
    {
      body: "hello",
    },
  ),
  accept("garbage behind a request is refused, the request is not", `${GET}Invalid\r\n\r\n`, {
    statuses: [400],
    closes: true,
  }),
  accept(
    "more bytes than the length are the next request",
    `${POST}Content-Length: 5\r\n\r\nhello!!\r\n\r\n`,
    {
      statuses: [400],
      body: "hello",
      closes: true,
    },
  ),
  may(
    "a WebSocket upgrade by POST",
    `${POST}Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\r\n`,
  ),
  may(
    "an upgrade to an unknown protocol",
    `GET / HTTP/1.1\r\n${HOST}Connection: Upgrade\r\nUpgrade: cow/1.0\r\n\r\n`,
  ),
  must("an empty request behind nothing", "\r\n\r\n\r\nX\r\n\r\n"),
];
