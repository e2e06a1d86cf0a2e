import { expect, test } from "bun:test";
import { encodeAnswer, parseAnswer, parseAsked } from "./question-codec.ts";
import type { Answer } from "./questions.ts";

const POSITION: Answer = {
  kind: "position",
  id: 3,
  timeline: 2,
  lsn: 0x1_0000_00ffn,
  heard: 7n,
  running: true,
  canLead: false,
};

test("answers go through JSON and back", () => {
  for (const answer of [POSITION, { kind: "refused", id: 1, reason: "lease-held" }] as const)
    expect(parseAnswer(JSON.parse(JSON.stringify(encodeAnswer(answer))))).toEqual(answer);
});

test("questions go through JSON and back", () => {
  for (const question of [
    { kind: "position", id: 1 } as const,
    { kind: "vote", id: 2, revision: 9 } as const,
  ])
    expect(parseAsked(JSON.parse(JSON.stringify({ from: "db1", question })))).toEqual({
      from: "db1",
      question,
    });
});

test("what is not whole is nothing", () => {
  const whole = encodeAnswer(POSITION) as Record<string, unknown>;
  for (const name of Object.keys(whole)) expect(parseAnswer({ ...whole, [name]: null })).toBeUndefined();
  for (const asked of [null, [], {}, { from: "", question: { kind: "position", id: 1 } }])
    expect(parseAsked(asked)).toBeUndefined();
  expect(parseAsked({ from: "a", question: { kind: "vote", id: 1 } })).toBeUndefined();
  expect(parseAsked({ from: "a", question: { kind: "vote", id: 1, revision: -1 } })).toBeUndefined();
});
