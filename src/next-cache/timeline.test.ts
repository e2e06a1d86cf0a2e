import { expect, test } from "bun:test";
import { timeline } from "./timeline.ts";

const known = (sequence: number, epoch = "e") => ({ sequence, epoch });

test("what was known at a time is the newest answer from before it", () => {
  const heard = timeline();
  heard.note(known(1), 10);
  heard.note(known(3), 20);
  expect([9, 10, 19, 20, 99].map((ms) => heard.at(ms)?.sequence)).toEqual([undefined, 1, 1, 3, 3]);
});

test("an answer that comes late, with an older number, changes nothing", () => {
  const heard = timeline();
  heard.note(known(3), 10);
  heard.note(known(2), 20);
  expect(heard.at(20)).toEqual(known(3));
});

test("after the marks were lost nothing from before counts", () => {
  const heard = timeline();
  heard.note(known(3), 10);
  heard.note(known(0, "f"), 20);
  expect([15, 20].map((ms) => heard.at(ms))).toEqual([undefined, known(0, "f")]);
});

test("only so much is remembered: what began too long ago has seen nothing", () => {
  const heard = timeline();
  for (let sequence = 1; sequence <= 5000; sequence++) heard.note(known(sequence), sequence);
  expect(heard.at(900)).toBeUndefined();
  expect(heard.at(4500)).toEqual(known(4500));
});
