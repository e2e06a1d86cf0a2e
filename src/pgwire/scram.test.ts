import { describe, expect, test } from "bun:test";
import { seededRandom } from "../base/index.ts";
import { md5Password } from "./md5.ts";
import { ScramClient } from "./scram-client.ts";
import { fromBase64, makeVerifier, parseVerifier, scramKeys, sha256, toBase64 } from "./scram-keys.ts";
import { ScramServer } from "./scram-server.ts";

const SALT = fromBase64("W22ZaJ0SNY7soEsUEjb6gQ==") ?? new Uint8Array(0);

/** The exchange of RFC 7677 §3. */
const RFC = {
  user: "user",
  password: "pencil",
  clientNonce: "rOprNGfwEbeRWgbNEkqO",
  serverNonce: "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0",
  first: "n,,n=user,r=rOprNGfwEbeRWgbNEkqO",
  serverFirst: "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096",
  final:
    "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=",
  serverFinal: "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=",
};

describe("SCRAM-SHA-256", () => {
  test("the client of RFC 7677", () => {
    const client = new ScramClient(RFC.password, RFC.clientNonce, RFC.user);
    expect(client.first()).toBe(RFC.first);
    expect(client.final(RFC.serverFirst)).toBe(RFC.final);
    expect(client.verify(RFC.serverFinal)).toBe(true);
    expect(client.verify("v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G5=")).toBe(false);
    expect(client.verify("e=invalid-proof")).toBe(false);
  });

  test("the server of RFC 7677", () => {
    const server = new ScramServer(makeVerifier(RFC.password, SALT), RFC.serverNonce);
    expect(server.first(RFC.first)).toBe(RFC.serverFirst);
    expect(server.final(RFC.final)?.message).toBe(RFC.serverFinal);
    // A proof is good for one exchange.
    expect(server.final(RFC.final)).toBeUndefined();
  });

  test("what a proof reveals logs in to another server with the same verifier", () => {
    const verifier = makeVerifier("secret", SALT);
    const client = new ScramClient("secret", "abc");
    const router = new ScramServer(verifier, "def");
    const keys = router.final(client.final(router.first(client.first()) ?? "") ?? "")?.keys;
    const onward = new ScramClient(keys ?? "wrong", "ghi");
    const server = new ScramServer(verifier, "jkl");
    const end = server.final(onward.final(server.first(onward.first()) ?? "") ?? "");
    expect(onward.verify(end?.message ?? "")).toBe(true);
  });

  test("an exchange that is bound to a certificate succeeds where both ends see the same one", () => {
    const verifier = makeVerifier("secret", SALT);
    const [ours, theirs] = [sha256(Uint8Array.of(1)), sha256(Uint8Array.of(2))];
    const isIn = (client: ScramClient, server: ScramServer, isBound: boolean): boolean => {
      const first = server.first(client.first(), isBound);
      return first !== undefined && server.final(client.final(first) ?? "") !== undefined;
    };
    const bound = (binding: Uint8Array): ScramClient =>
      new ScramClient("secret", "abc", "", { bound: binding });
    expect(isIn(bound(ours), new ScramServer(verifier, "def", ours), true)).toBe(true);
    expect(isIn(bound(theirs), new ScramServer(verifier, "def", ours), true)).toBe(false);
    expect(isIn(bound(ours), new ScramServer(verifier, "def", ours), false)).toBe(false);
    expect(isIn(bound(ours), new ScramServer(verifier, "def"), true)).toBe(false);
    expect(isIn(new ScramClient("secret", "abc"), new ScramServer(verifier, "def", ours), true)).toBe(false);
    expect(isIn(new ScramClient("secret", "abc"), new ScramServer(verifier, "def", ours), false)).toBe(true);
  });

  test("a client that was told of no binding, where there is one, is refused", () => {
    const verifier = makeVerifier("secret", SALT);
    const client = new ScramClient("secret", "abc", "", "unoffered");
    expect(new ScramServer(verifier, "def", sha256(Uint8Array.of(1))).first(client.first())).toBeUndefined();
    expect(new ScramServer(verifier, "def").first(client.first())).toBeDefined();
  });

  test("a wrong password and a made-up verifier fail at the end", () => {
    const server = new ScramServer(makeVerifier("right", SALT), "xyz");
    const client = new ScramClient("wrong", "abc");
    expect(server.final(client.final(server.first(client.first()) ?? "") ?? "")).toBeUndefined();
  });

  test.each([
    "",
    "p=tls-server-end-point,,n=,r=abc",
    "n,,n=,r=",
    "n,,r=abc",
    `n,,n=,r=${"x".repeat(257)}`,
    "n,,n=,r=a\nb",
  ])("the server refuses a first message: %p", (first) => {
    expect(new ScramServer(makeVerifier("x", SALT), "s").first(first)).toBeUndefined();
  });

  test.each([
    "r=other,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096",
    "r=abc,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096",
    "r=abcdef,s=,i=4096",
    "r=abcdef,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=0",
    "r=abcdef,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=999999999",
    "m=x,r=abcdef,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096",
  ])("the client refuses a server's first message: %p", (serverFirst) => {
    expect(new ScramClient("x", "abc").final(serverFirst)).toBeUndefined();
  });

  test("a binding that was not agreed on is refused: a man in the middle changed the header", () => {
    const server = new ScramServer(makeVerifier("x", SALT), "s");
    const client = new ScramClient("x", "abc");
    const final = client.final(server.first("y,,n=,r=abc") ?? "") ?? "";
    expect(server.final(final)).toBeUndefined();
  });

  test("2,000 mutations of the client's messages never log in, and never throw", () => {
    const random = seededRandom(29);
    const mutate = (text: string): string => {
      const at = Math.floor(random() * text.length);
      return text.slice(0, at) + String.fromCharCode(random() * 128) + text.slice(at + 1);
    };
    for (let round = 0; round < 2000; round++) {
      const server = new ScramServer(makeVerifier("pencil", SALT, 1), RFC.serverNonce);
      server.first(RFC.first);
      const final = mutate(RFC.final);
      expect(final === RFC.final ? undefined : server.final(final)).toBeUndefined();
      new ScramServer(makeVerifier("pencil", SALT, 1), "s").first(mutate(RFC.first));
    }
  });

  test("a verifier as PostgreSQL stores it", () => {
    const { storedKey, serverKey } = makeVerifier(RFC.password, SALT);
    const stored = `SCRAM-SHA-256$4096:${toBase64(SALT)}$${toBase64(storedKey)}:${toBase64(serverKey)}`;
    expect(parseVerifier(stored)).toEqual(makeVerifier(RFC.password, SALT));
    for (const wrong of ["", "md5abc", stored.slice(0, -1), stored.replace("4096", "0"), `x${stored}`])
      expect(parseVerifier(wrong)).toBeUndefined();
  });

  test("a password is prepared as RFC 4013's examples say", () => {
    const same = (a: string, b: string): void => expect(scramKeys(a, SALT, 1)).toEqual(scramKeys(b, SALT, 1));
    same("I\u00ADX", "IX");
    same("\u00AA", "a");
    same("\u2168", "IX");
    same("a\u00A0b", "a b");
  });

  test("md5, as psql answers it", () => {
    expect(md5Password("md5user", "foobar", Uint8Array.of(1, 2, 3, 4))).toBe(
      `md5${new Bun.CryptoHasher("md5")
        .update(new Bun.CryptoHasher("md5").update("foobarmd5user").digest("hex"))
        .update(Uint8Array.of(1, 2, 3, 4))
        .digest("hex")}`,
    );
  });
});
