import { describe, expect, test } from "bun:test";
import { Gathering } from "./gathering.ts";
import { AF, EPOLL, libc, SOCK } from "./libc.ts";
import { Ring } from "./ring.ts";

const WITHIN_US = 100;

/** Rounds of `arrivals` each, `everyUs` apart, from `sockets` in turn. */
function wantedAfter(rounds: number, arrivals: number, everyUs: number, sockets = 200): number {
  let nowMs = 0;
  let place = 0;
  const gathering = new Gathering(WITHIN_US, () => nowMs);
  for (let round = 0; round < rounds; round++) {
    nowMs += everyUs / 1000;
    for (let n = 0; n < arrivals; n++) gathering.arrived(place++ % sockets);
    gathering.round();
  }
  return gathering.wanted;
}

describe("gathering of arrivals", () => {
  test("waits for one where the next does not come soon", () => {
    expect(wantedAfter(1000, 1, 150)).toBe(1);
    expect(wantedAfter(1000, 1, 20_000)).toBe(1);
    expect(wantedAfter(1000, 0, 20_000)).toBe(1);
  });

  test("waits for as many as come in its time, and no more than a few", () => {
    expect(wantedAfter(1024, 1, 16)).toBe(6);
    expect(wantedAfter(1024, 6, 99)).toBe(6);
    expect(wantedAfter(1024, 200, 100)).toBe(16);
  });

  test("waits for none of a few sockets, which may be waiting for what is here", () => {
    expect(wantedAfter(1024, 1, 10, 8)).toBe(1);
    expect(wantedAfter(1024, 1, 10, 32)).toBe(4);
  });

  test("knows after some rounds that the load is gone", () => {
    let nowMs = 0;
    const gathering = new Gathering(WITHIN_US, () => nowMs);
    const play = (rounds: number, stepMs: number): void => {
      for (let round = 0; round < rounds; round++, nowMs += stepMs) {
        gathering.arrived(round);
        gathering.round();
      }
    };
    play(1024, 0.02);
    expect(gathering.wanted).toBeGreaterThan(1);
    play(128, 1);
    expect(gathering.wanted).toBe(1);
  });
});

/** Much longer than a test may take. */
const WAIT_MS = 60_000;

const calls = libc();
const ring = calls === undefined ? undefined : Ring.open(calls, WAIT_MS);

describe.skipIf(ring === undefined)("a wait for several arrivals (needs io_uring)", () => {
  test("is over when they do not come", () => {
    const fd = calls?.socket(AF.inet, SOCK.stream, 0) ?? -1;
    ring?.poll(fd, EPOLL.out, 7); // a socket that is not connected can be written to, in vain
    ring?.wait(8);
    expect(ring?.next()).toBe(true);
    expect(ring?.tag).toBe(7);
    expect(ring?.next()).toBe(false);
    calls?.close(fd);
    ring?.close();
  });
});
