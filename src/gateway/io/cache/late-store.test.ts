/** Responses that find the store's lock taken. */
import { afterEach, expect, test } from "bun:test";
import { formatStore, HEADER, Store, sizesFor } from "../../../edge/index.ts";
import { eventually, ok, stopAll, Target } from "../../testing/index.ts";
import { before, FRESH, said } from "./testing.ts";

afterEach(stopAll);

/** A lock that worker 1, process 2, holds. */
const HELD = (2 << 22) | 2;

test("responses that came while another worker held the store are stored when it lets go, each as it was", async () => {
  const block = new Uint8Array(4 << 20);
  formatStore(block, sizesFor({ bytes: block.length, workers: 2 }), 7);
  const words = new Int32Array(block.buffer);
  const isAlive = (): boolean => true;
  const store = new Store(block, { worker: 0, pid: 1, isAlive });
  expect(new Store(block, { worker: 1, pid: 2, isAlive }).sizes).toEqual(store.sizes);

  const target = await Target.start(({ head }) => {
    const path = head.split(" ")[1] ?? "";
    return ok(`body of ${path}`, FRESH, `X-Path: ${path}`);
  });
  const cached = await before({}, target, {}, { store });
  Atomics.store(words, HEADER.lock, HELD);
  const paths = ["/one", "/two/longer", "/3"];
  for (const path of paths) expect((await cached.ask(path)).body).toBe(`body of ${path}`);
  expect(store.stats().entries).toBe(0);
  Atomics.store(words, HEADER.lock, 0);

  await eventually("all are stored", () => store.stats().entries === paths.length);
  for (const path of paths) {
    const answer = await cached.ask(path);
    expect(said(answer)).toStartWith("hit");
    expect([answer.body, answer.field("x-path")]).toEqual([`body of ${path}`, path]);
  }
  expect(target.arrivals).toHaveLength(paths.length);
});
