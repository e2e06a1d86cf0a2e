import { expect, test } from "bun:test";
import { isDeceptive } from "../deception.ts";

test.each([
  ["/account/x.css", "text/html"],
  ["/account/x.CSS", "Text/HTML; charset=utf-8"],
  ["/account;x.js", "application/json"],
  ["/account%2fx.png", "application/xhtml+xml"],
  ["/api/me/x.woff2?v=1", "application/problem+json"],
  ["/api/x.jpg?", "application/json ;a=b"],
])("%s of type %j poses as a file", (target, type) => {
  expect(isDeceptive({ target }, type)).toBe(true);
});

test.each([
  ["/account", "text/html"],
  ["/x.css", undefined],
  ["/x.css", "text/htmlx"],
  ["/x.js.map", "application/json"],
  ["/x.css/", "text/html"],
  ["/a.b/c", "text/html"],
  ["/x.svg", "image/svg+xml"],
])("%s of type %j does not", (target, type) => {
  expect(isDeceptive({ target }, type)).toBe(false);
});
