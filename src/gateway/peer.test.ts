import { describe, expect, test } from "bun:test";
import { Peers } from "./peer.ts";
import { snapshotOf, viewOfGet } from "./testing/index.ts";

/** Peers of a gateway that trusts these. */
function peersTrusting(trustedProxies: string[]): Peers {
  const forwarded = trustedProxies.length === 0 ? {} : { trustedProxies };
  const listeners = { web: { address: 8080, rules: [{ respond: 204 }] } };
  return new Peers(snapshotOf({ gateway: { forwarded }, listeners }).gateway);
}

/** The client's address for a request from 10.0.0.1 with these X-Forwarded-For lines. */
function clientIp(trustedProxies: string[], ...lines: string[]): string {
  const peers = peersTrusting(trustedProxies);
  const { head, bytes } = viewOfGet("/", ...lines.map((line) => `X-Forwarded-For: ${line}`));
  return peers.clientIp(peers.at("10.0.0.1", 80), head, bytes);
}

const PROXIES = ["10.0.0.0/8"];

describe("the client's address", () => {
  test("is the peer's own when that is not a trusted proxy", () => {
    expect(clientIp([], "203.0.113.9")).toBe("10.0.0.1");
  });

  test("is the nearest hop that is not a trusted proxy", () => {
    expect(clientIp(PROXIES, "198.51.100.1, 203.0.113.9, 10.0.0.2")).toBe("203.0.113.9");
    expect(clientIp(PROXIES, "198.51.100.1, 203.0.113.9", "10.0.0.2, 10.0.0.3")).toBe("203.0.113.9");
  });

  test("is the farthest hop when all are trusted, the peer's own when there is none", () => {
    expect(clientIp(PROXIES, "10.0.0.9, 10.0.0.2")).toBe("10.0.0.9");
    expect(clientIp(PROXIES)).toBe("10.0.0.1");
  });

  test("is never pushed out of sight by a long list that the client made up", () => {
    const invented = Array.from({ length: 60 }, (_, i) => `192.0.2.${i}`).join(", ");
    expect(clientIp(PROXIES, `${invented}, 203.0.113.9`)).toBe("203.0.113.9");
  });

  test("is never text that is no address", () => {
    expect(clientIp(PROXIES, '1.2.3.4" 200, 10.0.0.2')).toBe("10.0.0.2");
    expect(clientIp(PROXIES, "unknown")).toBe("10.0.0.1");
  });

  test("is an IPv4 address when the socket reports it mapped into IPv6", () => {
    const peers = peersTrusting(["10.0.0.1"]);
    expect(peers.at("::ffff:10.0.0.1", 80)).toMatchObject({ ip: "10.0.0.1", trusted: true });
  });
});
