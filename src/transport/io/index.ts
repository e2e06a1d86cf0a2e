/** TCP for the data planes: the fastest transport that this system has. */

import type { Transport } from "../transport.ts";
import { BunTransport } from "./bun.ts";
import { EpollTransport } from "./epoll.ts";
import { libc } from "./libc.ts";
import { UringTransport } from "./uring.ts";

export type {
  ConnectFailure,
  ConnectOwner,
  SocketOwner,
  TcpListener,
  TcpSocket,
  Transport,
} from "../transport.ts";
export { YIELD_MS } from "./loop.ts";
export { type TlsOutcome, type TlsRole, UpgradableSocket } from "./upgradable-socket.ts";

/** io_uring where the kernel has it, else epoll on Linux with glibc, else Bun's sockets; `wanted` starts further down. */
export function createTransport(wanted?: string): Transport {
  const calls = wanted === "bun" ? undefined : libc();
  if (calls === undefined) return new BunTransport();
  const uring = wanted === "epoll" ? undefined : UringTransport.open(calls);
  return uring ?? new EpollTransport(calls);
}
