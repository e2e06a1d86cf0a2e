/** WebSockets on the example's live feed. */
import { until } from "./wait.ts";

/** An event reaches everybody within this. */
const EVENT_DEADLINE_MS = 10_000;

/** Opens `count` of them through the gateway on `port`. */
export function openSockets(port: number, count: number): Promise<WebSocket[]> {
  const opening = Array.from({ length: count }, () => {
    const socket = new WebSocket(`ws://127.0.0.1:${port}/live`);
    return new Promise<WebSocket>((resolve, reject) => {
      socket.addEventListener("open", () => resolve(socket), { once: true });
      socket.addEventListener("error", () => reject(new Error("a WebSocket did not open")), { once: true });
    });
  });
  return Promise.all(opening);
}

/** How many sockets still bring an event that is published now. */
export async function countAlive(open: readonly WebSocket[], port: number): Promise<number> {
  const heard = new Set<WebSocket>();
  for (const socket of open) socket.addEventListener("message", () => heard.add(socket));
  const body = JSON.stringify({ url: "https://example.com/last" });
  await fetch(`http://127.0.0.1:${port}/api/links`, { method: "POST", body });
  await until(
    "every WebSocket to bring the event",
    EVENT_DEADLINE_MS,
    () => heard.size === open.length,
  ).catch(
    () => {}, // who did not is counted
  );
  return heard.size;
}
