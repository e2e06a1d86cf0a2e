import { expect, test } from "bun:test";
import { parseStoreUrl } from "./store-url.ts";

test.each([
  ["redis://localhost", { host: "localhost", port: 6379, tls: false, database: 0 }],
  ["valkey://10.0.0.1:80/3", { host: "10.0.0.1", port: 80, tls: false, database: 3 }],
  ["rediss://:p%40ss@[::1]:7000", { host: "::1", port: 7000, tls: true, password: "p@ss" }],
  ["redis://app:secret@store/0", { host: "store", username: "app", password: "secret" }],
])("a store's URL says where it is and who asks: %p", (text, parts) => {
  expect(parseStoreUrl(text)).toMatchObject(parts);
});

test.each(["http://x", "redis:", "localhost:6379", "redis://x/y", "redis://a:%zz@x", ""])(
  "what is no store URL is told in a sentence without the password: %p",
  (text) => {
    const told = parseStoreUrl(text);
    expect(typeof told).toBe("string");
    expect(told).not.toContain("%zz@");
  },
);
