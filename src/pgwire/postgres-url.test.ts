import { describe, expect, test } from "bun:test";
import { parsePostgresUrl, tlsDemand } from "./postgres-url.ts";

function demandOf(query: string): string | undefined {
  const url = parsePostgresUrl(`postgres://a:b@db.example/shop${query}`);
  if (typeof url === "string") throw new Error(url);
  return tlsDemand(url);
}

describe("TLS is asked for", () => {
  test("by each mode that libpq does not go on without it in, and by modes that nobody knows", () => {
    for (const mode of ["require", "verify-ca", "verify-full", "no-verify", "REQUIRE", ""])
      expect(demandOf(`?sslmode=${mode}`)).toBe(`sslmode=${mode}`);
  });

  test("by what other drivers write, and by what needs it", () => {
    expect(demandOf("?ssl=true")).toBe("ssl=true");
    expect(demandOf("?channel_binding=require")).toBe("channel_binding=require");
    expect(demandOf("?sslrootcert=/ca.pem")).toBe("sslrootcert");
  });

  test("by nothing else", () => {
    for (const query of ["", "?sslmode=disable", "?sslmode=prefer", "?sslmode=allow", "?ssl=false", "?ssl=0"])
      expect(demandOf(query)).toBeUndefined();
    expect(demandOf("?sslmode=disable&sslrootcert=/ca.pem")).toBeUndefined();
  });
});
