/**
 * Who is at the other end of a client connection: its address, whether its word is believed, and the fields that
 * name it to targets.
 *
 * Connections from one address share one `Peer`. A peer is believed (its Forwarded and X-Forwarded-* fields are kept
 * and appended to, its request ids kept) only when its address is in `forwarded.trustedProxies`; everybody else's
 * are replaced, for they could say anything.
 */
import { type Cidr, contains, parseCidr, parseIp } from "../base/index.ts";
import type { GatewayConfig } from "../config/index.ts";
import { buildForwardedBlock, FIELD, type ForwardedBlock, type RequestHead, text } from "../http/index.ts";
import { siteOf } from "./site.ts";

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
    const { cdnId } = siteOf(this.#config);
    const source = { clientIp: ip, proto: "http" as const, port, fields, name: this.#config.name, cdnId };
    const block = buildForwardedBlock(source);
    return { ip, trusted: this.#isTrusted(ip), block };
  }

  /**
   * The address of the client: the peer's own, or, behind proxies we trust, the nearest one that we do not. The list is
   * walked from its end, where our own proxies wrote; beyond the first stranger, anybody could have written it.
   */
  clientIp(peer: Peer, { fields }: RequestHead, bytes: Uint8Array): string {
    if (!peer.trusted) return peer.ip;
    let ip = peer.ip;
    for (const hop of forwardedFor(fields, bytes).slice(-HOPS_MAX).toReversed()) {
      if (parseIp(hop) === undefined) return ip;
      ip = hop;
      if (!this.#isTrusted(hop)) return ip;
    }
    return ip;
  }

  #isTrusted(ip: string): boolean {
    return this.#trusted.some((block) => contains(block, ip));
  }
}

/** Every hop that X-Forwarded-For names, over all its lines, farthest first. */
function forwardedFor(fields: RequestHead["fields"], bytes: Uint8Array): string[] {
  const lines: string[] = [];
  for (let i = 0; i < fields.count; i++) {
    if (fields.code[i] === FIELD.xForwardedFor)
      lines.push(text(bytes, fields.valueStart[i] ?? 0, fields.valueEnd[i] ?? 0));
  }
  return lines.flatMap((line) => line.split(",")).map((hop) => hop.trim());
}

function parseBlocks(blocks: readonly string[]): Cidr[] {
  return blocks.map(parseCidr).filter((block): block is Cidr => block !== undefined);
}
