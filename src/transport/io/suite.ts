/**
 * The suite that every transport passes: what `transport.ts` promises, shown on real sockets.
 */
import { afterAll, describe, expect, test } from "bun:test";
import { createHash } from "node:crypto";
import { closeSync, openSync, readdirSync } from "node:fs";
import { createConnection, type Socket } from "node:net";
import { seededRandom, systemScheduler } from "../../base/index.ts";
import { eventually, settle } from "../../base/testing.ts";
import type {
  ConnectFailure,
  ConnectOwner,
  SocketOwner,
  TcpListener,
  TcpSocket,
  Transport,
} from "../transport.ts";

/** An owner that writes down what it is told. */
class Recorder implements ConnectOwner {
  readonly told: string[] = [];
  socket: TcpSocket | undefined;
  text = "";
  /** What else to do with received bytes. */
  take: SocketOwner["received"] | undefined;
  bytes = 0;

  opened(socket: TcpSocket): void {
    this.socket = socket;
    this.told.push("opened");
  }
  received(bytes: Uint8Array, start: number, end: number): void {
    this.take?.(bytes, start, end);
    this.bytes += end - start;
    if (this.bytes < 1000) this.text += Buffer.from(bytes.subarray(start, end)).toString("latin1");
  }
  drained(): void {
    this.told.push("drained");
  }
  ended(): void {
    this.told.push("ended");
  }
  closed(): void {
    this.told.push("closed");
  }
  connectFailed(failure: ConnectFailure): void {
    this.told.push(failure);
  }
  crashed(): void {
    this.told.push("crashed");
  }
}

/** Waits for a condition; what did not come is told in its own words. */
function soon(holds: () => boolean): Promise<void> {
  return eventually(String(holds), holds);
}

const LOOPBACK = "127.0.0.1";

/** What a transport may keep for the kernel when it has no room. */
const SLOT_BYTES = 4096;

/** Descriptors that this process holds. */
function openDescriptors(): number {
  return readdirSync("/proc/self/fd").length;
}

/** Opens files until no lower number than that of a socket is free: the next socket gets the one that is closed next. */
function takeLowNumbers(): { give(): void } {
  const files = Array.from({ length: 64 }, () => openSync("/dev/null", "r"));
  return { give: () => files.forEach((file) => closeSync(file)) };
}

/** A few hundred arrivals. */
const PATTERN_BYTES = 2 * 1024 * 1024;

/** More than the kernel buffers of both ends hold. */
const MUCH = new Uint8Array(32 * 1024 * 1024);

/** Runs the suite on one transport. */
export function describeTransport(create: () => Transport): void {
  const transport = create();
  transport.start();
  afterAll(() => transport.stop());

  function listen(): { listener: TcpListener; accepted: Recorder[] } {
    const accepted: Recorder[] = [];
    const listener = transport.listen({ host: LOOPBACK, port: 0 }, (socket) => {
      const owner = new Recorder();
      owner.socket = socket;
      accepted.push(owner);
      return owner;
    });
    return { listener, accepted };
  }

  /** Listens, and says something to all who come. */
  function greeter(text: string): { listener: TcpListener } {
    const bytes = Buffer.from(text);
    const listener = transport.listen({ host: LOOPBACK, port: 0 }, (socket) => {
      queueMicrotask(() => socket.write(bytes, 0, bytes.length));
      return new Recorder();
    });
    return { listener };
  }

  async function pair(): Promise<{ near: Recorder; far: Socket; listener: TcpListener }> {
    const { listener, accepted } = listen();
    const far = createConnection({ host: LOOPBACK, port: listener.port, allowHalfOpen: true });
    far.on("error", () => {}); // resets are part of the tests
    await soon(() => accepted.length === 1);
    const [near] = accepted;
    if (near === undefined) throw new Error("nobody was accepted");
    return { near, far, listener };
  }

  describe(`the ${transport.name} transport`, () => {
    test("carries bytes both ways and knows the other end's address", async () => {
      const { near, far, listener } = await pair();
      far.write("hello");
      await soon(() => near.text === "hello");
      let answer = "";
      far.on("data", (bytes) => (answer += String(bytes)));
      expect(near.socket?.write(Buffer.from("--hi--"), 2, 2)).toBe(2);
      await soon(() => answer === "hi");
      expect(near.socket?.remoteAddress).toBe(LOOPBACK);
      expect(near.socket?.remotePort).toBe(Number(far.localPort));
      far.destroy();
      listener.stop();
    });

    test("connects, and tells when nobody listens", async () => {
      const { listener, accepted } = listen();
      const near = new Recorder();
      transport.connect({ host: LOOPBACK, port: listener.port }, near);
      await soon(() => near.told.includes("opened") && accepted.length === 1);
      near.socket?.write(Buffer.from("x"), 0, 1);
      await soon(() => accepted[0]?.text === "x");
      near.socket?.end();
      listener.stop();
      const refused = new Recorder();
      transport.connect({ host: LOOPBACK, port: 1 }, refused);
      await soon(() => refused.told.length > 0);
      expect(refused.told).toEqual(["connect-refused"]);
    });

    test("resolves host names, and fails for names that do not exist", async () => {
      const { listener } = listen();
      const near = new Recorder();
      transport.connect({ host: "localhost", port: listener.port }, near);
      await soon(() => near.told.length > 0);
      expect(near.told[0]).toBe("opened");
      const lost = new Recorder();
      transport.connect({ host: "no-such-host.invalid", port: 1 }, lost);
      await soon(() => lost.told.length > 0);
      expect(lost.told).toEqual(["connect-failed"]);
      near.socket?.end();
      listener.stop();
    });

    test("a connection that is given up is never heard of again", async () => {
      const { listener, accepted } = listen();
      const near = new Recorder();
      transport.connect({ host: LOOPBACK, port: listener.port }, near)();
      const other = new Recorder();
      transport.connect({ host: LOOPBACK, port: listener.port }, other);
      await soon(() => other.told.includes("opened") && accepted.length >= 1);
      expect(near.told).toEqual([]);
      other.socket?.end();
      listener.stop();
    });

    test("takes what the kernel takes, and tells when it takes more", async () => {
      const { near, far, listener } = await pair();
      far.pause();
      const taken = near.socket?.write(MUCH, 0, MUCH.length) ?? 0;
      expect(taken).toBeGreaterThan(0);
      expect(taken).toBeLessThan(MUCH.length);
      far.resume();
      await soon(() => near.told.includes("drained"));
      far.destroy();
      listener.stop();
    });

    test("a socket closed on a peer that does not read gives its descriptor back", async () => {
      const { near, far, listener } = await pair();
      const before = openDescriptors();
      far.pause();
      while ((near.socket?.write(MUCH, 0, SLOT_BYTES) ?? 0) > 0);
      near.socket?.end();
      await soon(() => openDescriptors() < before);
      far.destroy();
      listener.stop();
    });

    test("a paused socket reads nothing; a resumed one reads on", async () => {
      const { near, far, listener } = await pair();
      near.socket?.pause();
      far.write(MUCH);
      await soon(() => far.writableLength > 0 && far.bytesWritten > 0);
      const before = near.bytes;
      await settle();
      expect(near.bytes).toBe(before);
      near.socket?.resume();
      await soon(() => near.bytes === MUCH.length);
      far.destroy();
      listener.stop();
    });

    test("bytes stay whole and in order, whoever pauses", async () => {
      const hash = createHash("sha256");
      const random = seededRandom(7);
      let arrived = 0;
      const { near, far, listener } = await pair();
      near.take = (bytes, start, end) => {
        hash.update(bytes.subarray(start, end));
        arrived += end - start;
        if (random() < 0.9) return;
        near.socket?.pause();
        systemScheduler.after(random() < 0.5 ? 0 : 1, () => near.socket?.resume());
      };
      const sent = new Uint8Array(PATTERN_BYTES).map((_, i) => (i * 31) ^ (i >> 8));
      far.write(sent);
      await soon(() => arrived === sent.length);
      expect(hash.digest("hex")).toBe(createHash("sha256").update(sent).digest("hex"));
      far.destroy();
      listener.stop();
    });

    test("FIN is told once, and the other direction still works", async () => {
      const { near, far, listener } = await pair();
      far.end("last");
      await soon(() => near.told.includes("ended"));
      let answer = "";
      far.on("data", (bytes) => (answer += String(bytes)));
      near.socket?.write(Buffer.from("reply"), 0, 5);
      await soon(() => answer === "reply");
      expect(near.text).toBe("last");
      near.socket?.end();
      await soon(() => near.told.includes("closed"));
      expect(near.told.filter((told) => told !== "drained")).toEqual(["ended", "closed"]);
      listener.stop();
    });

    test("shutdown sends FIN and reads on", async () => {
      const { near, far, listener } = await pair();
      let ended = false;
      far.on("end", () => (ended = true)).resume();
      near.socket?.shutdown();
      await soon(() => ended);
      far.end("after");
      await soon(() => near.text === "after");
      listener.stop();
    });

    test("terminate resets, and `closed` comes before it returns", async () => {
      const { near, far, listener } = await pair();
      let error = "";
      far.on("error", (problem: NodeJS.ErrnoException) => (error = problem.code ?? ""));
      near.socket?.terminate();
      expect(near.told).toEqual(["closed"]);
      expect(near.socket?.write(Buffer.from("x"), 0, 1)).toBe(-1);
      far.write("x");
      await soon(() => error === "ECONNRESET" || error === "EPIPE");
      listener.stop();
    });

    test("a reset by the other end closes, once", async () => {
      const { near, far, listener } = await pair();
      far.resetAndDestroy();
      await soon(() => near.told.includes("closed"));
      expect(near.told.filter((told) => told === "closed")).toHaveLength(1);
      listener.stop();
    });

    test("a reset is told to a paused owner that waits to write on", async () => {
      const { near, far, listener } = await pair();
      far.pause();
      near.socket?.pause();
      const bytes = Buffer.alloc(1000);
      while (near.socket?.write(bytes, 0, bytes.length) === bytes.length);
      await settle();
      near.told.length = 0;
      far.resetAndDestroy();
      await soon(() => near.told.length > 0);
      expect(near.socket?.write(bytes, 0, bytes.length)).toBe(-1);
      near.socket?.terminate();
      listener.stop();
    });

    test("a client without an owner is turned away", async () => {
      const listener = transport.listen({ host: LOOPBACK, port: 0 }, () => undefined);
      const far = createConnection({ host: LOOPBACK, port: listener.port });
      let gone = false;
      far.on("error", () => {}).on("close", () => (gone = true));
      await soon(() => gone);
      listener.stop();
    });

    test("what is asked for the end of a round runs once, after what has arrived", async () => {
      const { listener, accepted } = listen();
      const order: string[] = [];
      const far = createConnection({ host: LOOPBACK, port: listener.port });
      await eventually("the connection", () => accepted.length === 1);
      const owner = accepted[0];
      if (owner === undefined) throw new Error("nobody connected");
      owner.take = () => {
        transport.atRoundEnd(() => order.push("end"));
        order.push("arrival");
      };
      far.write("x");
      await eventually("the end of the round", () => order.length === 2);
      await settle();
      expect(order).toEqual(["arrival", "end"]);
      far.destroy();
      listener.stop();
    });

    test("an address in use is an error with its code", () => {
      const held = Bun.listen({ hostname: LOOPBACK, port: 0, socket: { data: () => {} } });
      const again = (): TcpListener => transport.listen({ host: LOOPBACK, port: held.port }, () => undefined);
      expect(again).toThrow(expect.objectContaining({ code: "EADDRINUSE" }));
      held.stop(true);
    });

    test("many connections at once each keep their own bytes", async () => {
      const { listener, accepted } = listen();
      const far = Array.from({ length: 300 }, () =>
        createConnection({ host: LOOPBACK, port: listener.port }),
      );
      for (const [i, socket] of far.entries()) socket.on("error", () => {}).write(`#${i}`);
      await soon(() => accepted.filter(({ text }) => text !== "").length === far.length);
      expect(new Set(accepted.map(({ text }) => text)).size).toBe(far.length);
      for (const socket of far) socket.destroy();
      await soon(() => accepted.every(({ told }) => told.includes("closed") || told.includes("ended")));
      for (const { socket } of accepted) socket?.end();
      listener.stop();
    });

    // The next socket gets the number of the descriptor that was closed last: whatever was still asked of that must
    // not reach it.

    test("a connection given up at once does not lead the next one to its own address", async () => {
      const wrong = greeter("wrong");
      const right = greeter("right");
      for (let i = 0; i < 5; i++) {
        const next = new Recorder();
        transport.connect({ host: LOOPBACK, port: wrong.listener.port }, new Recorder())();
        transport.connect({ host: LOOPBACK, port: right.listener.port }, next);
        await soon(() => next.told.length > 0 && next.text !== "");
        expect([next.told[0], next.text]).toEqual(["opened", "right"]);
        next.socket?.end();
      }
      wrong.listener.stop();
      right.listener.stop();
    });

    test("what a peer did not read before its connection was cut reaches nobody else", async () => {
      const { listener: silent, accepted } = listen();
      for (let i = 0; i < 2; i++) {
        const { near, far, listener } = await pair();
        far.pause();
        const secret = new Uint8Array(SLOT_BYTES).fill(0x73);
        while (near.socket?.write(secret, 0, secret.length) === secret.length);
        const next = new Recorder();
        const numbers = takeLowNumbers();
        near.socket?.terminate();
        transport.connect({ host: LOOPBACK, port: silent.port }, next);
        numbers.give();
        await soon(() => next.told.includes("opened") && accepted.length === i + 1);
        await settle();
        expect(accepted[i]?.bytes).toBe(0);
        next.socket?.end();
        far.destroy();
        listener.stop();
      }
      silent.stop();
    });
  });
}
