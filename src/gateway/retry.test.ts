import { describe, expect, test } from "bun:test";
import { type FailedAttempt, maySendAgain } from "./retry.ts";

const POLICY = { attempts: 1, nonIdempotent: false };

/** A GET whose fresh connection was closed before an answer, unless told otherwise. */
function failed(changes: Partial<FailedAttempt> = {}): FailedAttempt {
  const usual = { unsent: false, stale: false, staleBefore: false, idempotent: true, attempts: 1 } as const;
  return { code: "upstream-closed", ...usual, ...changes };
}

describe("a request is sent again", () => {
  test("when repeating it does no harm", () => {
    expect(maySendAgain(failed(), POLICY)).toBe(true);
    expect(maySendAgain(failed({ idempotent: false }), POLICY)).toBe(false);
    expect(maySendAgain(failed({ idempotent: false }), { attempts: 1, nonIdempotent: true })).toBe(true);
  });

  test("when no target can have seen it, whatever its method", () => {
    expect(maySendAgain(failed({ idempotent: false, unsent: true }), POLICY)).toBe(true);
    for (const code of [
      "connect-refused",
      "connect-failed",
      "connect-timeout",
      "connect-exhausted",
    ] as const) {
      expect(maySendAgain(failed({ idempotent: false, code }), POLICY)).toBe(true);
    }
  });

  test("as often as the rule allows", () => {
    expect(maySendAgain(failed({ attempts: 2 }), POLICY)).toBe(false);
    expect(maySendAgain(failed({ attempts: 2 }), { attempts: 2, nonIdempotent: false })).toBe(true);
    expect(maySendAgain(failed(), { attempts: 0, nonIdempotent: false })).toBe(false);
  });

  test("once more, at no cost, when it met a connection that had rested too long", () => {
    const none = { attempts: 0, nonIdempotent: false };
    expect(maySendAgain(failed({ stale: true }), none)).toBe(true);
    expect(maySendAgain(failed({ stale: true, staleBefore: true }), none)).toBe(false);
    expect(maySendAgain(failed({ stale: true, idempotent: false }), none)).toBe(false);
  });

  test("as often as the rule allows, after a connection that had rested too long, too", () => {
    const refused = failed({ code: "connect-refused", staleBefore: true, attempts: 2 });
    expect(maySendAgain(refused, POLICY)).toBe(true);
    expect(maySendAgain({ ...refused, attempts: 3 }, POLICY)).toBe(false);
  });

  test("never after an answer has begun, or a grammar was broken", () => {
    for (const code of ["upstream-cut", "upstream-invalid", "upstream-stalled", "total-timeout"] as const) {
      expect(maySendAgain(failed({ code }), { attempts: 9, nonIdempotent: true })).toBe(false);
    }
  });
});
