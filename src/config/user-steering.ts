/** What a user writes under `steering`: a DNS server that sends clients to the nearest edge. */
import type { Duration, Numbered, UserAddress, UserHealth } from "./user-config.ts";

/** The section. */
export interface UserSteering {
  /** Where it listens, by UDP and TCP. Default "0.0.0.0:53". */
  readonly address?: UserAddress;
  /** The zone that was delegated to it: "cdn.example". */
  readonly zone: string;
  /** Names that lead to an edge: "@" is the zone itself, "www" a name below it, "*" any name below it. Default "@". */
  readonly names?: string | readonly string[];
  /** Name servers of the zone by full name, with their addresses: `{ "ns1.cdn.example": "192.0.2.53" }`. */
  readonly nameservers: Readonly<Record<string, string | readonly string[]>>;
  /** Of every answer. Default "30s". */
  readonly ttl?: Duration;
  /** Answers by UDP to one client prefix (/24, /56); the rest is told to use TCP, or dropped. Default 50, 0 is any number. */
  readonly perSecond?: number;
  /** Region of clients that no prefix names. Default the first region. */
  readonly fallback?: string;
  /** By name. */
  readonly edges: Readonly<Record<string, UserSteeredEdge>>;
  /** By name. */
  readonly regions: Readonly<Record<string, UserSteeringRegion>>;
  /** Round trips between regions, either way: `{ eu: { us: "90ms" } }`. Where there is none, it is reckoned from `at`. */
  readonly roundTrips?: Readonly<Record<string, Readonly<Record<string, Duration>>>>;
}

/** A gateway with a cache, somewhere. */
export interface UserSteeredEdge {
  readonly region: string;
  /** IPv4 and IPv6 addresses, 8 at most. */
  readonly addresses: string | readonly string[];
  /** How it is asked whether it is well. Default GET / on port 80 every 5 s. */
  readonly health?: Numbered<UserHealth>;
}

/** Where clients are. */
export interface UserSteeringRegion {
  /** CIDR blocks of its clients; the longest that fits counts. */
  readonly prefixes?: string | readonly string[];
  /** Latitude and longitude in degrees: [50.1, 8.7]. */
  readonly at?: readonly [latitude: number, longitude: number];
}
