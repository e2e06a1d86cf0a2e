/**
 * What both kernel transports do with descriptors: open, set, ask. Plain system calls, off the hot path.
 */
import { readdirSync, readlinkSync } from "node:fs";
import type { Address } from "../../config/index.ts";
import type { ConnectFailure, ConnectOwner } from "../transport.ts";
import { AF, addressOf, ERRNO, errno, errnoName, IPV6_V6ONLY, type Libc, SO, SOCK, SOL } from "./libc.ts";
import { decodeHost, decodePort, encodeSockaddr, SOCKADDR_BYTES } from "./sockaddr.ts";

/** Connections the kernel may hold for us; it caps this at net.core.somaxconn. */
const BACKLOG = 4096;

/** The system calls that need a little memory to talk through. */
export class Descriptors {
  readonly calls: Libc;
  readonly #option = new Int32Array(2);
  readonly #name = new Uint8Array(SOCKADDR_BYTES);
  readonly #length = new Int32Array(1);

  constructor(calls: Libc) {
    this.calls = calls;
  }

  /** A listening socket with SO_REUSEPORT; `type` adds flags to SOCK_STREAM. Throws the system's error. */
  listen({ host, port }: Address, type: number): number {
    const address = encodeSockaddr(host === "localhost" ? "127.0.0.1" : host, port);
    if (address === undefined) throw systemError(ERRNO.EADDRNOTAVAIL, `listen ${host}: give an IP address`);
    const fd = this.calls.socket(familyOf(address), SOCK.stream | SOCK.cloexec | type, 0);
    if (fd < 0) throw systemError(errno(this.calls), "socket");
    this.set(fd, SOL.socket, SO.reuseAddr, 1);
    this.set(fd, SOL.socket, SO.reusePort, 1);
    if (host === "::") this.set(fd, SOL.ipv6, IPV6_V6ONLY, 0);
    const { calls } = this;
    if (calls.bind(fd, addressOf(address), address.length) >= 0 && calls.listen(fd, BACKLOG) >= 0) return fd;
    const error = systemError(errno(this.calls), `listen ${host}:${port}`);
    this.calls.close(fd);
    throw error;
  }

  set(fd: number, level: number, option: number, value: number): void {
    this.#option[0] = value;
    this.calls.setsockopt(fd, level, option, addressOf(this.#option), 4);
  }

  /** From now on, closing the descriptor resets the connection. */
  lingerZero(fd: number): void {
    this.#option[0] = 1;
    this.#option[1] = 0;
    this.calls.setsockopt(fd, SOL.socket, SO.linger, addressOf(this.#option), 8);
  }

  /** Resets a connection now (connect(2) to AF_UNSPEC), whoever else holds its descriptor. */
  reset(fd: number): void {
    this.#name.fill(0);
    this.calls.connect(fd, addressOf(this.#name), SOCKADDR_BYTES);
  }

  /** The pending error of a socket, and clears it. */
  pendingError(fd: number): number {
    this.#option[0] = 0;
    this.#length[0] = 4;
    this.calls.getsockopt(fd, SOL.socket, SO.error, addressOf(this.#option), addressOf(this.#length));
    return this.#option[0] ?? 0;
  }

  /** A waiting connection and its client's address, or -1 (see `errno`). */
  accept(fd: number, flags: number): number {
    this.#length[0] = SOCKADDR_BYTES;
    return this.calls.accept4(fd, addressOf(this.#name), addressOf(this.#length), flags);
  }

  /** The address that `accept` wrote down last. */
  acceptedHost(): string {
    return decodeHost(this.#name);
  }

  /** Address of the other end; "" when it has gone already. */
  peerHost(fd: number): string {
    this.#length[0] = SOCKADDR_BYTES;
    const failed = this.calls.getpeername(fd, addressOf(this.#name), addressOf(this.#length)) < 0;
    if (failed) this.#name.fill(0);
    return failed ? "" : decodeHost(this.#name);
  }

  /** The port beside the address that was asked for last; 0 beside none. */
  lastPort(): number {
    return decodePort(this.#name);
  }

  localPort(fd: number): number {
    this.#length[0] = SOCKADDR_BYTES;
    this.calls.getsockname(fd, addressOf(this.#name), addressOf(this.#length));
    return decodePort(this.#name);
  }
}

/** What a connection's error number means to its owner. */
export function failureOf(error: number): ConnectFailure {
  if (error === ERRNO.ECONNREFUSED) return "connect-refused";
  return error === ERRNO.EADDRNOTAVAIL ? "connect-exhausted" : "connect-failed";
}

/** Address family of an encoded address. */
export function familyOf(address: Uint8Array): number {
  return address.length === SOCKADDR_BYTES ? AF.inet6 : AF.inet;
}

/** An error like those of Node: with `code` and `errno`. */
export function systemError(number: number, what: string): Error {
  const code = errnoName(number);
  return Object.assign(new Error(`${code}: ${what}`), { code, errno: number });
}

/**
 * Calls `connectTo` with the address in the system's form, at once when the host is an IP address, else when its name has
 * been looked up. Returns a function that gives up, whichever it is at.
 */
export function whenResolved(
  address: Address,
  owner: ConnectOwner,
  connectTo: (encoded: Uint8Array) => () => void,
): () => void {
  const encoded = encodeSockaddr(address.host, address.port);
  if (encoded !== undefined) return connectTo(encoded);
  let giveUp = (): void => {};
  let gaveUp = false;
  void lookUp(address).then((found) => {
    if (gaveUp) return;
    if (found === undefined) owner.connectFailed("connect-failed");
    else giveUp = connectTo(found);
  });
  return () => {
    gaveUp = true;
    giveUp();
  };
}

/** First address of a name; undefined when there is none. */
async function lookUp({ host, port }: Address): Promise<Uint8Array | undefined> {
  try {
    const [first] = await Bun.dns.lookup(host);
    return first === undefined ? undefined : encodeSockaddr(first.address, port);
  } catch {
    return undefined; // no such name, or no answer: the connection fails
  }
}

/**
 * The epoll descriptors of the process so far: Bun's event loop waits on one of them, and it is the only one but in
 * special settings (its test runner has another). None when there is no /proc: then Bun's loop gets its turn by time alone.
 */
export function bunLoopDescriptors(): number[] {
  try {
    const isEpoll = (fd: string): boolean => readlink(`/proc/self/fd/${fd}`) === "anon_inode:[eventpoll]";
    return readdirSync("/proc/self/fd").filter(isEpoll).map(Number);
  } catch {
    return [];
  }
}

function readlink(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    return ""; // closed since it was listed
  }
}
