import { describe, expect, test } from "bun:test";
import { config, lines, listener } from "./testing.ts";

/** The one line that each mistake gets. */
const MISTAKES: readonly (readonly [line: string, input: unknown])[] = [
  [
    'gateway.workers: is the string "two"; write a whole number from 1 to 32 or "auto"',
    config({ gateway: { workers: "two" } }),
  ],
  [
    "gateway.cache.disk: is 64MiB; write a size from 128MiB to 128GiB",
    config({ gateway: { cache: { disk: "64MiB" } } }),
  ],
  [
    "gateway.cache.disk.size: is 1TiB; write a size from 128MiB to 128GiB",
    config({ gateway: { cache: { disk: { size: "1TiB" } } } }),
  ],
  [
    'gateway.cache.disk: is 5; write a size such as "10GiB", or { size: "10GiB", folder: "/var/cache/tenfold" }',
    config({ gateway: { cache: { disk: 5 } } }),
  ],
  ["gateway.workers: is 0; write a whole number from 1 to 32", config({ gateway: { workers: 0 } })],
  ["gateway.workers: is 1.5; write a whole number from 1 to 32", config({ gateway: { workers: 1.5 } })],
  [
    'gateway.timeouts.idle: is 500 without a unit; write "500ms", or idleMs: 500',
    config({ gateway: { timeouts: { idle: 500 } } }),
  ],
  [
    'gateway.timeouts.idle: "500" has no unit; write "500ms" or "500s"',
    config({ gateway: { timeouts: { idle: "500" } } }),
  ],
  [
    'gateway.timeouts.idle: "5 sec" is not a duration; write a number and a unit, such as "250ms", "30s", "5m", "1h" or "1d"',
    config({ gateway: { timeouts: { idle: "5 sec" } } }),
  ],
  [
    "gateway.timeouts.idle: is 0s; write a duration from 1ms to 7d",
    config({ gateway: { timeouts: { idle: "0s" } } }),
  ],
  [
    "gateway.timeouts.idle: is 90d; write a duration from 1ms to 7d",
    config({ gateway: { timeouts: { idle: "90d" } } }),
  ],
  [
    'gateway.timeouts.idleMs: is the string "5s"; write a number from 1 to 604800000 (milliseconds)',
    config({ gateway: { timeouts: { idleMs: "5s" } } }),
  ],
  [
    "gateway.timeouts.idleMs: is -1; write a number from 1 to 604800000 (milliseconds)",
    config({ gateway: { timeouts: { idleMs: -1 } } }),
  ],
  [
    "gateway.timeouts.idleMs: is given twice, with and without its unit; keep one of the two",
    config({ gateway: { timeouts: { idle: "5s", idleMs: 5000 } } }),
  ],
  [
    'gateway.limits.headMax: is 4096 without a unit; write "4096B", or headBytesMax: 4096',
    config({ gateway: { limits: { headMax: 4096 } } }),
  ],
  [
    'gateway.limits.headMax: "4k" does not say which unit; write "4KiB" (1024s) or "4KB" (1000s)',
    config({ gateway: { limits: { headMax: "4k" } } }),
  ],
  [
    'gateway.limits.headMax: "4XB" is not a size; write bytes ("512"), or a number and a unit, such as "64KiB" or "10MB"',
    config({ gateway: { limits: { headMax: "4XB" } } }),
  ],
  [
    "gateway.limits.headMax: is 1GiB; write a size from 1KiB to 4MiB",
    config({ gateway: { limits: { headMax: "1GiB" } } }),
  ],
  [
    "gateway.limits.headBytesMax: is a NaN; write a whole number from 1024 to 4194304 (bytes)",
    config({ gateway: { limits: { headBytesMax: Number.NaN } } }),
  ],
  [
    'gateway.forwarded.fields: is the string "xforwarded"; did you mean "x-forwarded"?',
    config({ gateway: { forwarded: { fields: "xforwarded" } } }),
  ],
  [
    'gateway.forwarded.trustedProxies: "10.0.0.0/33" is no CIDR block; write an address or a block, such as "10.0.0.0/8", "192.0.2.7" or "2001:db8::/32"',
    config({ gateway: { forwarded: { trustedProxies: "10.0.0.0/33" } } }),
  ],
  [
    'gateway.forwarded.trustedProxies[0]: "10.1.2.3/8" has bits set behind its prefix; clear them, or lengthen the prefix',
    config({ gateway: { forwarded: { trustedProxies: ["10.1.2.3/8"] } } }),
  ],
  [
    'admin.address: "127.0.0.1" has no port; write an address such as "127.0.0.1:8080"',
    config({ admin: { address: "127.0.0.1" } }),
  ],
  [
    'listeners.web.address: "http://a:80" holds a scheme or a path; write the host and port alone: an address such as "127.0.0.1:8080"',
    config({ listeners: { web: listener({ address: "http://a:80" }) } }),
  ],
  [
    'listeners.web.address: "a" has no port; write an address such as "127.0.0.1:8080"',
    config({ listeners: { web: listener({ address: "a" }) } }),
  ],
  [
    'listeners.web.address: "a:99999" has no valid port; use a port from 1 to 65535',
    config({ listeners: { web: listener({ address: "a:99999" }) } }),
  ],
  [
    'listeners.web.address: "::1:80" has more than one colon; write an IPv6 host in brackets: "[::1]:8080"',
    config({ listeners: { web: listener({ address: "::1:80" }) } }),
  ],
  [
    'listeners.web.address: "[::1]" has no port; write an address such as "127.0.0.1:8080"',
    config({ listeners: { web: listener({ address: "[::1]" }) } }),
  ],
  [
    'listeners.web.address: "[zz]:80" has no valid host; write an address such as "127.0.0.1:8080"',
    config({ listeners: { web: listener({ address: "[zz]:80" }) } }),
  ],
  [
    'listeners.web.address: "a b:80" has no valid host; write an address such as "127.0.0.1:8080"',
    config({ listeners: { web: listener({ address: "a b:80" }) } }),
  ],
  [
    'listeners.web.address: "256.0.0.1:80" has no valid host; write an address such as "127.0.0.1:8080"',
    config({ listeners: { web: listener({ address: "256.0.0.1:80" }) } }),
  ],
  [
    'listeners.web.address: is a RegExp; write an address such as "127.0.0.1:8080"',
    config({ listeners: { web: listener({ address: /8080/ }) } }),
  ],
];

describe("mistakes in numbers, durations, sizes and addresses", () => {
  for (const [line, input] of MISTAKES) {
    test(line, () => {
      expect(lines(input)).toEqual([line]);
    });
  }
});
