/**
 * Who is at the other end of a client connection: its address, whether its word is believed, and the fields that
 * name it to targets.
 *
 * Connections from one address share one `Peer`. A peer is believed (its Forwarded and X-Forwarded-* fields are kept
 * and appended to, its request ids kept) only when its address is in `forwarded.trustedProxies`; everybody else's
 * are replaced, for they could say anything.
 */
import { type Cidr, contains, parseCidr } from "../base/index.ts";
import type { GatewayConfig } from "../config/index.ts";
import { buildForwardedBlock, type ForwardedBlock, type RequestHead } from "../http/index.ts";

export interface Peer {
  readonly ip: string;
  readonly trusted: boolean;
  readonly block: ForwardedBlock;
}

/** Addresses remembered; beyond it the memory starts afresh, which costs a rebuild per address and nothing else. */
const PEERS_MAX = 8192;

/** A chain of proxies longer than this is not walked: the nearest hops are what counts. */
const HOPS_MAX = 32;

export class Peers {
  #config: GatewayConfig;
  #trusted: readonly Cidr[];
  /** Peers by port of the listener, then by address. */
  readonly #known = new Map<number, Map<string, Peer>>();

  constructor(config: GatewayConfig) {
    this.#config = config;
    this.#trusted = parseBlocks(config.forwarded.trustedProxies);
  }

  /** Settings for connections from now on. */
  update(config: GatewayConfig): void {
    this.#config = config;
    this.#trusted = parseBlocks(config.forwarded.trustedProxies);
    this.#known.clear();
  }

  /** The peer with this address, at the listener with this port; "::ffff:10.0.0.1" is 10.0.0.1. */
  at(address: string, port: number): Peer {
    const known = this.#known.get(port) ?? new Map<string, Peer>();
    const peer = known.get(address);
    if (peer !== undefined) return peer;
    if (known.size >= PEERS_MAX) known.clear();
    const made = this.#make(address, port);
    this.#known.set(port, known.set(address, made));
    return made;
  }

  #make(address: string, port: number): Peer {
    const ip = address.startsWith("::ffff:") ? address.slice(7) : address;
    const { fields } = this.#config.forwarded;
    const block = buildForwardedBlock({ clientIp: ip, proto: "http", port, fields, name: this.#config.name });
    return { ip, trusted: this.#isTrusted(ip), block };
  }

  /** The address of the client: the peer's own, or, behind proxies we trust, the nearest one that we do not. */
  clientIp(peer: Peer, head: RequestHead, bytes: Uint8Array): string {
    if (!peer.trusted) return peer.ip;
    const chain = head.value(bytes, "x-forwarded-for");
    if (chain === undefined) return peer.ip;
    const hops = chain.split(",", HOPS_MAX).map((hop) => hop.trim());
    return hops.findLast((hop) => hop !== "" && !this.#isTrusted(hop)) ?? hops[0] ?? peer.ip;
  }

  #isTrusted(ip: string): boolean {
    return this.#trusted.some((block) => contains(block, ip));
  }
}

function parseBlocks(blocks: readonly string[]): Cidr[] {
  return blocks.map(parseCidr).filter((block): block is Cidr => block !== undefined);
}
