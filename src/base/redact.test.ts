import { expect, test } from "bun:test";
import { isSecretName } from "./redact.ts";

test.each([
  "authorization",
  "Proxy-Authorization",
  "cookie",
  "set-cookie",
  "password",
  "dbPassword",
  "DB_PASSWORD",
  "accessToken",
  "x-amz-security-token",
  "client_secret",
  "key",
  "apiKey",
  "APIKey",
  "X-API-Key",
  "apikey",
  "privateKey",
  "tlsKeys",
  "credentials",
])("%p is a secret's name", (name) => {
  expect(isSecretName(name)).toBe(true);
});

test.each(["", "path", "cacheKey", "hash-key", "primary_key", "monkey", "keyboard", "author", "0", "status"])(
  "%p is not",
  (name) => {
    expect(isSecretName(name)).toBe(false);
  },
);
