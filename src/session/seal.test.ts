import { describe, expect, test } from "bun:test";
import { randomBytes } from "node:crypto";
import { seededRandom } from "../base/index.ts";
import { createSealer, type Keys } from "./seal.ts";

const KEYS: Keys = { 1: "one".padEnd(32, "1"), 2: "two".padEnd(32, "2") };
const sealer = (keys: Keys = KEYS, purpose = "cookie") => createSealer(keys, purpose, randomBytes);
const reason = (text: string, wallMs = 0) => {
  const outcome = sealer().unseal(text, wallMs);
  return outcome.status === "open" ? "open" : outcome.reason;
};

describe("a seal", () => {
  test("opens to what was sealed, until its end", () => {
    const text = sealer().seal({ name: "Ä", list: [1, null] }, 1000);
    expect(sealer().unseal(text, 999)).toEqual({
      status: "open",
      value: { name: "Ä", list: [1, null] },
      endsMs: 1000,
    });
    expect(reason(text, 1000)).toBe("expired");
  });

  test("shows nothing of its content, and is another one each time", () => {
    const [one, other] = [sealer().seal("hidden words", 1), sealer().seal("hidden words", 1)];
    expect(one).not.toBe(other);
    expect(Buffer.from(one.split(".")[3] ?? "", "base64url").includes("hidden")).toBe(false);
  });

  test("with any character changed or any piece cut off does not open", () => {
    const text = sealer().seal({ user: "ann" }, 1000);
    const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.";
    for (let at = 0; at < text.length; at++) {
      for (const letter of letters) {
        if (letter !== text[at])
          expect(reason(text.slice(0, at) + letter + text.slice(at + 1))).not.toBe("open");
      }
      expect(reason(text.slice(0, at))).not.toBe("open");
    }
  });

  test("survives no random damage", () => {
    const random = seededRandom(7);
    for (let times = 0; times < 2000; times++) {
      const bytes = sealer().seal({ times }, 1000).split("");
      for (let damage = 0; damage < 3; damage++) {
        bytes[Math.floor(random() * bytes.length)] = String.fromCharCode(Math.floor(random() * 256));
      }
      const text = bytes.join("");
      const outcome = sealer().unseal(text, 0);
      if (outcome.status === "open") expect(outcome.value).toEqual({ times });
    }
  });

  test("of another key, number or purpose does not open", () => {
    const text = sealer().seal("x", 1000);
    expect(sealer({ 2: "other".padEnd(32, "x") }).unseal(text, 0)).toMatchObject({ reason: "tampered" });
    expect(sealer({ 1: KEYS[1] ?? "" }).unseal(text, 0)).toMatchObject({ reason: "unknown-key" });
    expect(sealer(KEYS, "snapshot").unseal(text, 0)).toMatchObject({ reason: "tampered" });
    expect(reason(text.replace(/^1\.2/, "1.1"))).toBe("tampered");
    expect(reason(text.replace(/^1\.2/, "1.02"))).toBe("unknown-key");
    expect(reason(text.replace(/^1/, "2"))).toBe("malformed");
  });

  test("made with an old key opens as long as the key is there", () => {
    const old = sealer({ 1: KEYS[1] ?? "" }).seal("x", 1000);
    expect(reason(old)).toBe("open");
    expect(sealer().seal("x", 1000)).toStartWith("1.2.");
  });

  test("needs keys that cannot be guessed", () => {
    expect(() => sealer({})).toThrow("at least one");
    expect(() => sealer({ 1: "x".repeat(31) })).toThrow("32 characters");
    expect(() => sealer({ [-1]: "x".repeat(32) })).toThrow("no number of a key");
  });
});
