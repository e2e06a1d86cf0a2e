import { describe, expect, test } from "bun:test";
import { Gathering } from "./gathering.ts";
import { AF, EPOLL, libc, SOCK } from "./libc.ts";
import { Ring } from "./ring.ts";

/** `arrivals` of each round, `everyUs` apart, from `sockets` in turn, and how long our exchanges take, in turn. */
interface Load {
  readonly arrivals?: number;
  readonly everyUs: number;
  readonly sockets?: number;
  readonly exchangesUs?: readonly number[];
}

/** A connection of ours; those of others have the places below. */
const OURS = 10_000;

class Played {
  #nowMs = 1;
  #place = 0;
  readonly gathering: Gathering = new Gathering(() => this.#nowMs);

  play(rounds: number, { arrivals = 1, everyUs, sockets = 200, exchangesUs = [] }: Load): this {
    this.gathering.opened(OURS);
    for (let round = 0; round < rounds; round++) {
      const tookUs = exchangesUs[round % exchangesUs.length];
      if (tookUs !== undefined) this.#exchange(tookUs);
      this.#nowMs += everyUs / 1000;
      this.gathering.begin();
      for (let n = 0; n < arrivals; n++) this.gathering.arrived(this.#place++ % sockets);
      this.gathering.round();
    }
    return this;
  }

  /** Beside the rounds: their clock is put back. */
  #exchange(tookUs: number): void {
    const nowMs = this.#nowMs;
    this.gathering.sent(OURS);
    this.#nowMs += tookUs / 1000;
    this.gathering.begin();
    this.gathering.sent(OURS);
    this.gathering.arrived(OURS);
    this.#nowMs = nowMs;
    this.gathering.begin();
  }
}

/** What is waited for after so many rounds that all exchanges are known. */
const wantedFor = (load: Load): number => new Played().play(2048, load).gathering.wanted;

describe("gathering of arrivals", () => {
  test("waits for one where the next does not come soon", () => {
    expect(wantedFor({ everyUs: 150, exchangesUs: [200] })).toBe(1);
    expect(wantedFor({ everyUs: 20_000, exchangesUs: [10_000] })).toBe(1);
    expect(wantedFor({ arrivals: 0, everyUs: 20_000, exchangesUs: [10_000] })).toBe(1);
  });

  test("waits for as many as come in half of an exchange, for 400 us at most, and no more than a few", () => {
    expect(wantedFor({ everyUs: 32, exchangesUs: [200] })).toBe(6);
    expect(wantedFor({ everyUs: 100, exchangesUs: [800] })).toBeWithin(7, 9);
    expect(wantedFor({ everyUs: 100, exchangesUs: [5000] })).toBe(8);
    expect(wantedFor({ arrivals: 200, everyUs: 100, exchangesUs: [800] })).toBe(16);
  });

  test("does not let a few slow exchanges speak for the others", () => {
    const { gathering } = new Played().play(4096, { everyUs: 16, exchangesUs: [200, 200, 1_000_000] });
    expect(gathering.withinUs).toBeWithin(95, 110);
  });

  test("never waits where nothing is asked of others", () => {
    expect(wantedFor({ arrivals: 200, everyUs: 100 })).toBe(1);
  });

  test("forgets a connection that is gone, and what was asked of it", () => {
    const { gathering } = new Played().play(2048, { everyUs: 100, exchangesUs: [800] });
    gathering.sent(OURS);
    gathering.closed(OURS);
    const { withinUs } = gathering;
    for (let round = 0; round < 1024; round++) {
      gathering.arrived(OURS);
      gathering.round();
    }
    expect(gathering.withinUs).toBe(withinUs);
  });

  test("waits for none of a few sockets, which may be waiting for what is here", () => {
    expect(wantedFor({ everyUs: 10, sockets: 6, exchangesUs: [800] })).toBe(1);
    expect(wantedFor({ everyUs: 10, sockets: 32, exchangesUs: [800] })).toBe(8);
  });

  test("knows after some rounds that the load is gone", () => {
    const played = new Played().play(2048, { everyUs: 20, exchangesUs: [800] });
    expect(played.gathering.wanted).toBeGreaterThan(1);
    played.play(128, { everyUs: 1000, exchangesUs: [800] });
    expect(played.gathering.wanted).toBe(1);
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
    ring?.wait(8, 200);
    expect(ring?.next()).toBe(true);
    expect(ring?.tag).toBe(7);
    expect(ring?.next()).toBe(false);
    calls?.close(fd);
    ring?.close();
  });
});
