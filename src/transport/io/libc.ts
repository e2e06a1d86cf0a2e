/**
 * The system calls of the epoll transport, called straight from JavaScript through Bun's FFI.
 *
 * Only what a socket loop needs; all of it is part of the stable Linux ABI. Numbers are those of x86-64 and arm64,
 * which agree on everything here but the packing of `struct epoll_event`.
 */
import { dlopen, FFIType, type Pointer, ptr, read } from "bun:ffi";

const I32 = FFIType.i32;
const PTR = FFIType.ptr;
const I64 = FFIType.i64_fast;

/** Where glibc keeps the calling thread's errno. */
const ERRNO_LOCATION = "__errno_location";

/** The calls, by their names in C. All return -1 on failure (see `errno`). Lengths stay far below 2^31. */
export interface Libc {
  accept4(fd: number, address: Pointer, length: Pointer, flags: number): number;
  bind(fd: number, address: Pointer, length: number): number;
  close(fd: number): number;
  connect(fd: number, address: Pointer, length: number): number;
  epoll_create1(flags: number): number;
  epoll_ctl(epoll: number, operation: number, fd: number, event: Pointer): number;
  epoll_wait(epoll: number, events: Pointer, count: number, timeoutMs: number): number;
  getpeername(fd: number, address: Pointer, length: Pointer): number;
  getsockname(fd: number, address: Pointer, length: Pointer): number;
  getsockopt(fd: number, level: number, option: number, value: Pointer, length: Pointer): number;
  fcntl(fd: number, command: number, value: number): number;
  listen(fd: number, backlog: number): number;
  mmap(
    at: null,
    length: number,
    protection: number,
    flags: number,
    fd: number,
    offset: number,
  ): Pointer | null;
  /** io_uring has no wrappers in the C library. */
  syscall(number: number, a: number, b: number, c: number, d: number, e: number, f: number): number;
  recv(fd: number, into: Pointer, length: number, flags: number): number;
  send(fd: number, from: Pointer, length: number, flags: number): number;
  setsockopt(fd: number, level: number, option: number, value: Pointer, length: number): number;
  shutdown(fd: number, how: number): number;
  socket(family: number, type: number, protocol: number): number;
  [ERRNO_LOCATION](): Pointer | null;
}

type Signature = { readonly args: readonly FFIType[]; readonly returns: FFIType };

const SIGNATURES: Readonly<Record<keyof Libc, Signature>> = {
  accept4: { args: [I32, PTR, PTR, I32], returns: I32 },
  bind: { args: [I32, PTR, I32], returns: I32 },
  close: { args: [I32], returns: I32 },
  connect: { args: [I32, PTR, I32], returns: I32 },
  epoll_create1: { args: [I32], returns: I32 },
  epoll_ctl: { args: [I32, I32, I32, PTR], returns: I32 },
  epoll_wait: { args: [I32, PTR, I32, I32], returns: I32 },
  getpeername: { args: [I32, PTR, PTR], returns: I32 },
  getsockname: { args: [I32, PTR, PTR], returns: I32 },
  getsockopt: { args: [I32, I32, I32, PTR, PTR], returns: I32 },
  fcntl: { args: [I32, I32, I32], returns: I32 },
  listen: { args: [I32, I32], returns: I32 },
  mmap: { args: [PTR, FFIType.u64_fast, I32, I32, I32, I64], returns: PTR },
  syscall: { args: [I64, I64, I64, I64, I64, I64, I64], returns: I32 },
  recv: { args: [I32, PTR, FFIType.u32, I32], returns: I32 },
  send: { args: [I32, PTR, FFIType.u32, I32], returns: I32 },
  setsockopt: { args: [I32, I32, I32, PTR, I32], returns: I32 },
  shutdown: { args: [I32, I32], returns: I32 },
  socket: { args: [I32, I32, I32], returns: I32 },
  [ERRNO_LOCATION]: { args: [], returns: PTR },
};

let loaded: Libc | undefined;

/** The C library, or undefined where there is none that we know (musl, macOS, Windows). */
export function libc(): Libc | undefined {
  if (process.platform !== "linux") return undefined;
  try {
    loaded ??= dlopen("libc.so.6", SIGNATURES).symbols as unknown as Libc;
    return loaded;
  } catch {
    return undefined; // no glibc, or FFI is switched off: the other transport serves
  }
}

/** The error number of the last call that failed in this thread. */
export function errno(calls: Libc): number {
  const at = calls[ERRNO_LOCATION]();
  return at === null ? 0 : read.i32(at, 0);
}

/** Address of a typed array's first byte. The array must stay referenced while it is used. */
export function addressOf(bytes: NodeJS.TypedArray): Pointer {
  return ptr(bytes);
}

/** Error numbers (errno.h) that are told apart. */
export const ERRNO = {
  EINTR: 4,
  EAGAIN: 11,
  EBUSY: 16,
  EACCES: 13,
  ENFILE: 23,
  EMFILE: 24,
  ETIME: 62,
  EADDRINUSE: 98,
  EADDRNOTAVAIL: 99,
  ENOBUFS: 105,
  ECONNREFUSED: 111,
  EINPROGRESS: 115,
  ECANCELED: 125,
} as const;

/** "EADDRINUSE" for 98; "errno 5" for numbers not in the table. */
export function errnoName(number: number): string {
  return Object.entries(ERRNO).find(([, value]) => value === number)?.[0] ?? `errno ${number}`;
}

/** Address families. */
export const AF = { unspec: 0, inet: 2, inet6: 10 } as const;
/** Socket types and flags. */
export const SOCK = { stream: 1, nonblock: 0o4000, cloexec: 0o2000000 } as const;
/** Levels of socket options. */
export const SOL = { socket: 1, tcp: 6, ipv6: 41 } as const;
/** Options of level SOL.socket. */
export const SO = { reuseAddr: 2, error: 4, keepAlive: 9, linger: 13, reusePort: 15 } as const;
/** Option of level SOL.tcp: send small segments at once. */
export const TCP_NODELAY = 1;
/** Option of level SOL.ipv6: take no IPv4 clients. */
export const IPV6_V6ONLY = 26;
/** Flags of send and recv. */
export const MSG = { dontWait: 0x40, noSignal: 0x4000 } as const;
/** shutdown(2): no more will be sent. */
export const SHUT_WR = 1;
/** shutdown(2): both directions. */
export const SHUT_RDWR = 2;
/** fcntl(2): set status flags. */
export const F_SETFL = 4;
/** Status flag of a descriptor: calls answer EAGAIN instead of waiting. */
export const O_NONBLOCK = 0o4000;
/** Events of epoll. */
export const EPOLL = { in: 0x1, out: 0x4, err: 0x8, hup: 0x10 } as const;
/** Operations of epoll_ctl. */
export const EPOLL_CTL = { add: 1, del: 2, mod: 3 } as const;
