/** Runs the transports' suite on every transport that this machine has. */
import { test } from "bun:test";
import { BunTransport } from "./bun.ts";
import { EpollTransport } from "./epoll.ts";
import { libc } from "./libc.ts";
import { describeTransport } from "./suite.ts";

describeTransport(() => new BunTransport());

const calls = libc();
if (calls === undefined) test.skip("the epoll transport (needs Linux with glibc)", () => {});
else describeTransport(() => new EpollTransport(calls));
