import { describe, expect, test } from "bun:test";
import { parsePostgresUrl } from "./postgres-url.ts";
import { certificateObjection, type ServerTlsSettings, serverTlsOf } from "./server-tls.ts";

function read(query: string): ServerTlsSettings | string {
  const url = parsePostgresUrl(`postgres://a:b@db.example/shop${query}`);
  if (typeof url === "string") throw new Error(url);
  return serverTlsOf(url, "/app");
}

const modeOf = (query: string): string => {
  const tls = read(query);
  return typeof tls === "string" ? tls : tls.mode;
};

describe("TLS in a URL", () => {
  test("is that of sslmode, allow as prefer; without one it is preferred", () => {
    for (const mode of ["disable", "prefer", "require", "verify-ca", "verify-full"])
      expect(modeOf(`?sslmode=${mode}`)).toBe(mode);
    expect([modeOf(""), modeOf("?sslmode=allow")]).toEqual(["prefer", "prefer"]);
  });

  test("is required by what other drivers write, and by what needs it", () => {
    for (const query of [
      "ssl=true",
      "channel_binding=require",
      "sslrootcert=ca.pem",
      "sslnegotiation=direct",
    ])
      expect(modeOf(`?${query}`)).toBe("require");
    expect(modeOf("?sslcert=a.pem&sslkey=a.key")).toBe("require");
    expect(modeOf("?sslrootcert=system")).toBe("verify-full");
    expect([modeOf("?ssl=false"), modeOf("?sslmode=disable&sslrootcert=/ca.pem")]).toEqual([
      "disable",
      "disable",
    ]);
  });

  test("names files from the folder on", () => {
    expect(read("?sslmode=verify-ca&sslrootcert=ca.pem&sslcert=/me.pem&sslkey=me.key")).toEqual({
      mode: "verify-ca",
      ca: "/app/ca.pem",
      cert: "/me.pem",
      key: "/app/me.key",
    });
  });

  test("is refused where it is not known, or would be ignored", () => {
    expect(modeOf("?sslmode=REQUIRE")).toStartWith("has sslmode=REQUIRE: write one of disable");
    expect(modeOf("?sslmode=")).toStartWith("has sslmode=: write one of");
    expect(modeOf("?sslcrl=a.pem")).toStartWith("has sslcrl, which is not supported");
    expect(modeOf("?sslcert=a.pem")).toStartWith("has one of sslcert and sslkey");
  });
});

test("each mode objects to what it promises to find", () => {
  const objections = (mode: ServerTlsSettings["mode"], ca?: string): (string | undefined)[] =>
    [
      { isTrusted: false, isFor: () => true },
      { isTrusted: true, isFor: () => false },
      { isTrusted: true, isFor: () => true },
    ].map((shown) => certificateObjection({ mode, ca }, shown, "db"));
  const [stranger, other] = ["its certificate is of no CA that we know", "its certificate is not for db"];
  expect(objections("prefer", "/ca.pem")).toEqual([undefined, undefined, undefined]);
  expect(objections("require")).toEqual([undefined, undefined, undefined]);
  expect(objections("require", "/ca.pem")).toEqual([stranger, undefined, undefined]);
  expect(objections("verify-ca")).toEqual([stranger, undefined, undefined]);
  expect(objections("verify-full")).toEqual([stranger, other, undefined]);
});
