import { expect, test } from "bun:test";
import { type Device, deviceOf } from "./device.ts";
import { type FieldMap, request } from "./testing.ts";

test.each<[FieldMap, Device]>([
  [{ "User-Agent": "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Mobile/15E148 Safari" }, "mobile"],
  [{ "User-Agent": "Mozilla/5.0 (Linux; Android 15; Pixel 9) Chrome/130 Mobile Safari" }, "mobile"],
  [{ "User-Agent": "Mozilla/5.0 (Linux; Android 15; SM-X900) Chrome/130 Safari" }, "tablet"],
  [{ "User-Agent": "Mozilla/5.0 (iPad; CPU OS 18_0 like Mac OS X) Safari" }, "tablet"],
  [{ "User-Agent": "Mozilla/5.0 (Windows NT 10.0; Win64; x64) Chrome/130 Safari" }, "desktop"],
  [{ "User-Agent": "curl/8.0" }, "desktop"],
  [{ "Sec-CH-UA-Mobile": "?1", "User-Agent": "x" }, "mobile"],
  [{ "Sec-CH-UA-Mobile": "?0", "User-Agent": "Mobile" }, "desktop"],
  [{}, "desktop"],
])("%j is a %s", (fields, device) => {
  expect(deviceOf(request(fields))).toBe(device);
});
