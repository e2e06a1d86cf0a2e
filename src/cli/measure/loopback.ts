/** How long a round trip over TCP takes within this machine: one byte there and back. */
import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { medianWaitMs } from "./sampling.ts";

/** The round trip, ms. */
export async function loopbackMs(momentMs: number): Promise<number> {
  const server = createServer((socket) => void socket.setNoDelay(true).on("error", ignore).pipe(socket));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const socket = connect({ port, host: "127.0.0.1", noDelay: true });
  try {
    await once(socket, "connect");
    return await medianWaitMs(momentMs, () => roundTrip(socket));
  } finally {
    socket.destroy();
    server.close();
  }
}

async function roundTrip(socket: Socket): Promise<void> {
  socket.write("x");
  await once(socket, "data");
}

/** The other end is told by its own events. */
function ignore(): void {}
