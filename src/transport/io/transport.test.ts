/** Runs the transports' suite on every transport that this machine has. */
import { test } from "bun:test";
import { BunTransport } from "./bun.ts";
import { EpollTransport } from "./epoll.ts";
import { libc } from "./libc.ts";
import { describeTransport } from "./suite.ts";
import { UringTransport } from "./uring.ts";

describeTransport(() => new BunTransport());

/** Short, so that a test sees the end of it. */
const FLUSH_MS = 100;

const calls = libc();
if (calls === undefined) test.skip("the epoll transport (needs Linux with glibc)", () => {});
else describeTransport(() => new EpollTransport(calls));

const uring = calls === undefined ? undefined : UringTransport.open(calls, FLUSH_MS);
if (uring === undefined)
  test.skip("the io_uring transport (needs Linux 6.1 and the right to use io_uring)", () => {});
else describeTransport(() => uring);
