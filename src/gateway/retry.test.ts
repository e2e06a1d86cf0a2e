/** When a failed request may be sent again. */
import { expect, test } from "bun:test";
import { type FailedAttempt, maySendAgain } from "./retry.ts";

const ONCE = { attempts: 1, nonIdempotent: false };

/** A GET that a target dropped, at its first attempt. */
const DROPPED: FailedAttempt = {
  code: "upstream-closed",
  unsent: false,
  stale: false,
  staleBefore: false,
  idempotent: true,
  attempts: 1,
};

test("an idempotent request is sent again as often as the rule says", () => {
  expect(maySendAgain(DROPPED, ONCE)).toBe(true);
  expect(maySendAgain({ ...DROPPED, attempts: 2 }, ONCE)).toBe(false);
  expect(maySendAgain(DROPPED, { ...ONCE, attempts: 0 })).toBe(false);
});

test("a request with effects is sent again only when no target can have acted on it, or when the rule allows it", () => {
  const post = { ...DROPPED, idempotent: false };
  expect(maySendAgain(post, ONCE)).toBe(false);
  expect(maySendAgain({ ...post, unsent: true }, ONCE)).toBe(true);
  expect(maySendAgain({ ...post, code: "connect-refused" }, ONCE)).toBe(true);
  expect(maySendAgain(post, { ...ONCE, nonIdempotent: true })).toBe(true);
});

test("a connection that went stale in the pool costs no attempt, once", () => {
  const stale = { ...DROPPED, stale: true };
  expect(maySendAgain(stale, { ...ONCE, attempts: 0 })).toBe(true);
  expect(maySendAgain({ ...stale, staleBefore: true, attempts: 2 }, ONCE)).toBe(false);
});

test("after a stale connection the rule's attempts are still there", () => {
  const refused: FailedAttempt = { ...DROPPED, code: "connect-refused", staleBefore: true, attempts: 2 };
  expect(maySendAgain(refused, ONCE)).toBe(true);
  expect(maySendAgain({ ...refused, attempts: 3 }, ONCE)).toBe(false);
});

test("an answer that broke the rules of HTTP is not asked for again", () => {
  expect(maySendAgain({ ...DROPPED, code: "upstream-invalid" }, ONCE)).toBe(false);
});
