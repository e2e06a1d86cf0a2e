/** TCP sockets that never buffer: the contract. What keeps it is in `io/`. */
export type {
  ConnectFailure,
  ConnectOwner,
  SocketOwner,
  TcpListener,
  TcpSocket,
  Transport,
} from "./transport.ts";
