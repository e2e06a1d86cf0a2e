/** A proxy before a store that harms one kind of connection: the one that hears the bus. All others pass unharmed. */
import { connect, createServer, type Socket } from "node:net";

/** What is done to what the bus brings. */
export type BusHarm = "none" | "delayed" | "doubled" | "lost" | "cut";

/** A proxy whose harm can be changed. */
export interface BusProxy {
  readonly port: number;
  harm: BusHarm;
  close(): void;
}

/** How long a delayed message is under way, ms. */
export const DELAY_MS = 400;
/** How often the connection is cut, ms. */
const CUT_EVERY_MS = 300;

/** A RESP3 push with a message. It comes whole, since it is small and the proxy is on the same machine. */
const MESSAGE = ">3\r\n$7\r\nmessage\r\n";

/** Starts a proxy to a loopback port. */
export async function startBusProxy(target: number): Promise<BusProxy> {
  const sockets = new Set<Socket>();
  const buses = new Set<Socket>();
  const server = createServer((down) => {
    const up = connect(target, "127.0.0.1");
    for (const socket of [down, up]) {
      sockets.add(socket);
      socket.on("error", () => {});
      socket.on("close", () => {
        for (const each of [down, up]) each.destroy();
        sockets.delete(socket);
        buses.delete(down);
      });
    }
    down.on("data", (bytes: Buffer) => {
      if (bytes.includes("SUBSCRIBE")) buses.add(down);
      up.write(bytes);
    });
    up.on("data", (bytes: Buffer) => {
      if (!buses.has(down)) down.write(bytes);
      else deliver(proxy.harm, bytes, (text) => void down.write(text, "latin1"));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const cutting = setInterval(() => {
    if (proxy.harm === "cut") for (const bus of buses) bus.destroy();
  }, CUT_EVERY_MS);
  const address = server.address();
  const proxy: BusProxy = {
    port: typeof address === "object" && address !== null ? address.port : 0,
    harm: "none",
    close: () => {
      clearInterval(cutting);
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  };
  return proxy;
}

function deliver(harm: BusHarm, bytes: Buffer, send: (text: string) => void): void {
  const text = bytes.toString("latin1");
  if (harm === "delayed") setTimeout(() => send(text), DELAY_MS);
  else if (harm === "doubled")
    send(
      partsOf(text)
        .map((part) => (isMessage(part) ? part + part : part))
        .join(""),
    );
  else if (harm === "lost")
    send(
      partsOf(text)
        .filter((part) => !isMessage(part))
        .join(""),
    );
  else send(text);
}

const isMessage = (part: string): boolean => part.startsWith(MESSAGE);

/** Cut before each message; what stands between goes with the message before it only where it is no PONG. */
function partsOf(text: string): string[] {
  return text.split(/(?=>3\r\n\$7\r\nmessage\r\n)|(?=\+PONG\r\n)/);
}
