/** TCP sockets that never buffer: the contract. What keeps it is in `io/`. */
export {
  FLUSH,
  type FlushResult,
  flush,
  type Outbox,
  SEND,
  type SendResult,
  send,
  type Writable,
} from "./outbox.ts";
export type {
  ConnectFailure,
  ConnectOwner,
  SocketOwner,
  TcpListener,
  TcpSocket,
  TlsFailure,
  Transport,
} from "./transport.ts";
