/** One cancel request to a server: a connection of its own, which the server closes when it has passed the signal on. */
import { MessageWriter, writeCancelRequest } from "../../../pgwire/index.ts";
import type { ConnectOwner, TcpSocket } from "../../../transport/index.ts";
import type { ClientConnection } from "./client-connection.ts";
import type { ServerConnection } from "./server-connection.ts";

/** Longest wait for the server to take it. */
const CANCEL_MS = 5_000;

/** Cancels what a client does: its query, or its wait for one. `done` is called once. */
export function cancelQuery(client: ClientConnection, done: () => void): void {
  const { server, context } = client;
  context.counters.cancels++;
  if (server === undefined || server.replies.length === 0) {
    client.cancelWaiting();
    return done();
  }
  server.cancels++;
  sendCancel(server, () => {
    server.pool.cancelled(server);
    done();
  });
}

/** What the connection does, it does for nobody: cancelled, and closed. Its transaction is rolled back. */
export function abandon(server: ServerConnection): void {
  if (server.replies.length > 0) {
    server.context.counters.cancels++;
    sendCancel(server, () => {});
  }
  server.close();
}

/** Asks the server to cancel what `server` does. `done` is called once, whatever came of it. */
function sendCancel(server: ServerConnection, done: () => void): void {
  const { transport, wheel } = server.context;
  const { processId, secret } = server.cancelKey;
  let isOver = false;
  let socket: TcpSocket | undefined;
  const end = (): void => {
    if (isOver) return;
    isOver = true;
    wheel.cancel(timer);
    done();
  };
  const timer = {
    timerNext: undefined,
    timerPrevious: undefined,
    timerTick: 0,
    onTimer: () => {
      if (socket === undefined) giveUp();
      else socket.terminate();
      end();
    },
  };
  const owner: ConnectOwner = {
    opened: (opened) => {
      socket = opened;
      const writer = new MessageWriter();
      writeCancelRequest(writer, processId, secret);
      opened.write(writer.bytes, 0, writer.length);
    },
    connectFailed: end,
    received: () => {},
    drained: () => {},
    ended: () => socket?.end(),
    closed: end,
    crashed: end,
  };
  wheel.schedule(timer, CANCEL_MS);
  const giveUp = transport.connect(server.address, owner);
}
