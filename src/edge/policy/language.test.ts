import { expect, test } from "bun:test";
import { bestLanguage } from "./language.ts";

test.each([
  ["de", "de"],
  ["DE-at", "de"],
  ["de-AT, en;q=0.9", "de"],
  ["en;q=0.5, de;q=0.9", "de"],
  ["zh-Hant-TW", "zh-Hant"],
  ["zh-Hans", undefined],
  ["fr, *;q=0.1", "en"],
  ["fr, de;q=0", undefined],
  ["fr, en;q=0, *;q=0.1", "de"],
  ["*, en;q=0, de;q=0, zh;q=0", undefined],
  ["de-AT, de;q=0", undefined],
  ["zh;q=0, zh-Hant", "zh-Hant"],
  ["de, *;q=0", "de"],
  ["fr, *;q=0", undefined],
  ["", undefined],
  [undefined, undefined],
])("of en, de and zh-Hant %j likes %p best", (acceptLanguage, expected) => {
  expect(bestLanguage(acceptLanguage, ["en", "de", "zh-Hant"])).toBe(expected);
});
