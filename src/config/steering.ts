/** Steering: which edge clients are sent to by DNS, as the config says it. */
import type { Address, HealthConfig } from "./config.ts";

/** What the DNS server of `tenfold steer` knows. */
export interface SteeringConfig {
  /** UDP and TCP, default 0.0.0.0:53. */
  readonly address: Address;
  /** "cdn.example": small letters, no dot at the end. */
  readonly zone: string;
  /** Names that lead to an edge: "@" is the zone itself, "www" a name below it, "*" any. Default "@". */
  readonly names: readonly string[];
  /** Of the zone, by full name; with their addresses where they are in the zone themselves. */
  readonly nameservers: readonly { readonly name: string; readonly addresses: readonly string[] }[];
  /** Of every answer, default 30 s: how long clients go to an edge that has failed. */
  readonly ttlMs: number;
  /** Answers by UDP to one client prefix (/24, /56), default 50; 0 = any number. */
  readonly perSecond: number;
  /** Region of clients that no prefix names; default the first. */
  readonly fallback: string;
  readonly edges: readonly SteeredEdge[];
  readonly regions: readonly SteeringRegion[];
  /** Round trips that are known, either way. */
  readonly roundTrips: readonly { readonly from: string; readonly to: string; readonly ms: number }[];
}

/** One edge: a gateway with a cache, somewhere. */
export interface SteeredEdge {
  readonly name: string;
  readonly region: string;
  /** IPv4 and IPv6, as text. */
  readonly addresses: readonly string[];
  /** Asked of the first address; default GET / on port 80 every 5 s. */
  readonly health: HealthConfig & { readonly port: number };
}

/** Where clients are. */
export interface SteeringRegion {
  readonly name: string;
  /** CIDR blocks of its clients. */
  readonly prefixes: readonly string[];
  /** Latitude and longitude in degrees. */
  readonly at?: readonly [latitude: number, longitude: number];
}

/** The section as the file says it; everything may be missing. */
export interface SteeringDraft {
  readonly address?: Address;
  readonly zone?: string;
  readonly names?: readonly string[];
  readonly nameservers?: ReadonlyMap<string, readonly string[]>;
  readonly ttlMs?: number;
  readonly perSecond?: number;
  readonly fallback?: string;
  readonly edges?: ReadonlyMap<string, SteeredEdgeDraft>;
  readonly regions?: ReadonlyMap<string, SteeringRegionDraft>;
  readonly roundTrips?: ReadonlyMap<string, ReadonlyMap<string, number>>;
}

/** See `SteeredEdge`. */
export interface SteeredEdgeDraft {
  readonly region?: string;
  readonly addresses?: readonly string[];
  readonly health?: Partial<HealthConfig>;
}

/** See `SteeringRegion`. */
export interface SteeringRegionDraft {
  readonly prefixes?: readonly string[];
  readonly at?: readonly [number, number];
}
