import { expect, test } from "bun:test";
import { accept, may, must, should, unfinished } from "./case.ts";
import { judge, type Observation } from "./judge.ts";
import { readRequest } from "./strict-reader.ts";

const GET = "GET / HTTP/1.1\r\nHost: a.test\r\nX: 1\r\n\r\n";

function seen(statuses: readonly number[], count: number, closed = false): Observation {
  const request = readRequest(GET, 0);
  const requests = request.kind === "message" ? Array.from({ length: count }, () => request) : [];
  return { answers: { statuses, closed }, reached: { requests, ambiguities: [] } };
}

test("a request without a valid reading may be refused or left waiting, never forwarded", () => {
  expect(judge(must("x", ""), seen([400], 0, true), true)).toBeUndefined();
  expect(judge(must("x", ""), seen([], 0), true)).toBeUndefined();
  expect(judge(must("x", ""), seen([200], 1), true)).toStartWith("reached the target");
  expect(judge(must("x", ""), seen([400], 0), true)).toBe("refused, but left open");
  expect(judge(must("x", ""), seen([500], 0, true), true)).toBe("answered 500, not 400");
});

test("a known disguise may be forwarded by a peer, not by us", () => {
  expect(judge(should("x", ""), seen([200], 1), false)).toBeUndefined();
  expect(judge(should("x", ""), seen([200], 1), true)).toStartWith("reached the target");
});

test("one request more than was sent is a fault even where forwarding is allowed", () => {
  expect(judge(may("x", ""), seen([200, 200], 2), true)).toStartWith("2 requests reached the target");
});

test("a valid request must arrive, in the form that was asked for", () => {
  expect(judge(accept("x", "", { has: { x: "1" } }), seen([200], 1), true)).toBeUndefined();
  expect(judge(accept("x", "", { lacks: ["x"] }), seen([200], 1), true)).toBe("x was passed on");
  expect(judge(accept("x", "", { target: "/y" }), seen([200], 1), true)).toBe("target /, not /y");
  expect(judge(accept("x", "", { closes: true }), seen([200], 1), true)).toBe("left open");
  expect(judge(accept("x", ""), seen([400], 0, true), true)).toStartWith("0 requests reached the target");
});

test("an unfinished request may be waited for", () => {
  expect(judge(unfinished("x", ""), seen([], 0), true)).toBeUndefined();
  expect(judge(unfinished("x", ""), seen([408], 0, true), true)).toBeUndefined();
});

test("a form with two readings is a fault whatever the case allows", () => {
  const observation = seen([200], 1);
  const ambiguous = { ...observation, reached: { ...observation.reached, ambiguities: ["2 Host fields"] } };
  expect(judge(may("x", ""), ambiguous, true)).toBe("forwarded in an ambiguous form: 2 Host fields");
});
