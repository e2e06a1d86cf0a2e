/**
 * TCP on Bun's own sockets: for systems without epoll, and where FFI is switched off.
 */
import type { Socket } from "bun";
import type { Address } from "../../config/index.ts";
import type {
  Accept,
  ConnectFailure,
  ConnectOwner,
  SocketOwner,
  TcpListener,
  Transport,
} from "../transport.ts";

type OwnedSocket = Socket<SocketOwner>;

/** The transport on `Bun.listen` and `Bun.connect`. */
export class BunTransport implements Transport {
  readonly name = "bun";

  listen({ host: hostname, port }: Address, accept: Accept): TcpListener {
    // Bun's types do not know reusePort here.
    const options = { hostname, port, reusePort: true, allowHalfOpen: true };
    const listener = Bun.listen<SocketOwner>({
      ...options,
      socket: {
        ...HANDLERS,
        open: (socket) => {
          const owner = accept(socket);
          socket.data = owner ?? NOBODY;
          if (owner === undefined) socket.terminate();
        },
      },
    });
    return { port: listener.port, stop: () => listener.stop(false) };
  }

  connect({ host: hostname, port }: Address, owner: ConnectOwner): () => void {
    let gaveUp = false;
    const connecting = Bun.connect<SocketOwner>({
      hostname,
      port,
      allowHalfOpen: true,
      data: owner,
      socket: {
        ...HANDLERS,
        open: (socket) => {
          if (gaveUp) socket.terminate();
          else owner.opened(socket);
        },
        close: (socket, error) => {
          if (!gaveUp) socket.data.closed(error !== undefined);
        },
        connectError: (_, error) => {
          if (!gaveUp) owner.connectFailed(failureOf(error));
        },
      },
    });
    connecting.catch(() => {}); // connectError has told it already
    return () => {
      gaveUp = true;
    };
  }

  atRoundEnd(run: () => void): void {
    setImmediate(run);
  }

  /** Bun's loop is the loop. */
  start(): void {}
  stop(): void {}
  yieldSoon(): void {}
}

/** Owner of sockets that were turned away. */
const NOBODY: SocketOwner = {
  received: () => {},
  drained: () => {},
  ended: () => {},
  closed: () => {},
  crashed: () => {},
};

const HANDLERS = {
  binaryType: "buffer",
  data: (socket: OwnedSocket, bytes: Buffer): void => socket.data.received(bytes, 0, bytes.length),
  drain: (socket: OwnedSocket): void => socket.data.drained(),
  end: (socket: OwnedSocket): void => socket.data.ended(),
  close: (socket: OwnedSocket, error?: Error): void => socket.data?.closed(error !== undefined),
  // Bun calls it for what a handler threw; the socket stays open.
  error: (socket: OwnedSocket, error: Error): void => socket.data?.crashed(error),
} as const;

const FAILURES: Readonly<Record<string, ConnectFailure>> = {
  ECONNREFUSED: "connect-refused",
  EADDRNOTAVAIL: "connect-exhausted",
  EMFILE: "connect-exhausted",
  ENFILE: "connect-exhausted",
};

function failureOf(error: Error): ConnectFailure {
  const code = "code" in error ? String(error.code) : "";
  return FAILURES[code] ?? "connect-failed";
}
