/**
 * TCP as the store needs it. The gateway's transports are of this shape, so the two share them without knowing each other: who
 * puts the store together passes one in.
 */

/** One connected socket. */
export interface StoreSocket {
  /** Textual IP of the other end. */
  readonly remoteAddress: string;
  /** Its port. */
  readonly remotePort: number;
  /** Gives bytes to the kernel; returns how many it took (then `drained` follows when it can take more), -1 when it is gone. */
  write(bytes: Uint8Array, start: number, length: number): number;
  /** Reads nothing until `resume`. */
  pause(): void;
  resume(): void;
  /** Closes in the orderly way. */
  end(): void;
  /** Closes with RST. */
  terminate(): void;
}

/** Who owns a socket. */
export interface StoreSocketOwner {
  /** `bytes[start, end)` hold only during the call. */
  received(bytes: Uint8Array, start: number, end: number): void;
  drained(): void;
  /** The other end will send no more. */
  ended(): void;
  /** The last call. */
  closed(reset: boolean): void;
  /** One of these calls threw. */
  crashed(error: unknown): void;
}

/** What opens sockets. */
export interface StoreTransport {
  listen(
    address: { readonly host: string; readonly port: number },
    accept: (socket: StoreSocket) => StoreSocketOwner | undefined,
  ): { readonly port: number; stop(): void };
  /** Calls `run` once, when what has arrived is dealt with. */
  atRoundEnd(run: () => void): void;
}
