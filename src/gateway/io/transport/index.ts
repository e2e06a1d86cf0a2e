/** TCP for the gateway: the fastest transport that this system has. */
import { BunTransport } from "./bun.ts";
import { EpollTransport } from "./epoll.ts";
import { libc } from "./libc.ts";
import type { Transport } from "./transport.ts";

export type {
  Accept,
  ConnectFailure,
  ConnectOwner,
  SocketOwner,
  TcpListener,
  TcpSocket,
  Transport,
} from "./transport.ts";

/** epoll on Linux with glibc, Bun's sockets elsewhere; `wanted` (TENFOLD_TRANSPORT) names one. */
export function createTransport(wanted?: string): Transport {
  const calls = wanted === "bun" ? undefined : libc();
  return calls === undefined ? new BunTransport() : new EpollTransport(calls);
}
