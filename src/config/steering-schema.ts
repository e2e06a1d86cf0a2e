/** The schema of `steering`. */
import { parseIp } from "../base/index.ts";
import { isHost } from "./address.ts";
import { health } from "./health-schema.ts";
import { report } from "./problem.ts";
import { bySort, leaf, list, mapped, named, object, oneOrMore, quote, type Shape } from "./shape.ts";
import type { SteeredEdgeDraft, SteeringDraft, SteeringRegionDraft } from "./steering.ts";
import { address, cidr, duration, integer, name, number } from "./values.ts";

/** Far beyond what is written by hand, and still looked through at once. */
const EDGES_MAX = 256;
const REGIONS_MAX = 256;
const NAMES_MAX = 256;
const NAMESERVERS_MAX = 8;
/** Of one region. All country blocks of the world are some 200,000. */
const PREFIXES_MAX = 200_000;
/** What fits a UDP answer with its question, whatever the family. */
const ADDRESSES_MAX = 8;

/** A day: longer, and a dead edge is asked for that long. */
const TTL_MS_MAX = 86_400_000;
/** Once around the world in glass is 200 ms; a satellite, 600. */
const ROUND_TRIP_MS_MAX = 10_000;

const LABELS =
  /^(?=.{1,253}$)[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?)*$/;

const hostName = (expected: string): Shape<string> =>
  leaf(expected, "string", (value: string) => {
    const plain = value.toLowerCase().replace(/\.$/, "");
    return LABELS.test(plain) && isHost(plain) ? plain : undefined;
  });

const steeredName = leaf('"@", "*" or a name such as "www"', "string", (value: string) => {
  const plain = value.toLowerCase();
  return plain === "@" || plain === "*" || LABELS.test(plain) ? plain : undefined;
});

const ip = leaf("an IP address", "string", (value: string, place) =>
  parseIp(value) === undefined || value.includes("%")
    ? report(place, `${quote(value)} is no IP address`, 'write one such as "192.0.2.1" or "2001:db8::1"')
    : value,
);

const milliseconds = leaf('a duration such as "90ms"', "string", (value: string, place) =>
  duration(0, ROUND_TRIP_MS_MAX).spelling?.shape.read(value, place),
);

const latitudeOrLongitude = number({ min: -180, max: 180, why: "degrees" });

const place = leaf<readonly [number, number]>(
  "latitude and longitude, such as [50.1, 8.7]",
  "list",
  (value: readonly unknown[], at) => {
    const both = list(latitudeOrLongitude, 2).read(value, at) ?? [];
    const [latitude = 0, longitude = 0] = both;
    return both.length === 2 && Math.abs(latitude) <= 90 ? [latitude, longitude] : undefined;
  },
);

const edge = object<SteeredEdgeDraft>(
  { region: name, addresses: oneOrMore(ip, ADDRESSES_MAX), health },
  { required: ["region", "addresses"] },
);

const region = object<SteeringRegionDraft>({ prefixes: oneOrMore(cidr, PREFIXES_MAX), at: place });

/** None is enough for a name server of another zone. */
const nameserverAddresses: Shape<readonly string[]> = bySort<readonly string[]>({
  string: mapped(ip, (one) => [one]),
  list: list(ip, ADDRESSES_MAX),
});

/** What `steering` may hold. */
export const steering: Shape<SteeringDraft> = object<SteeringDraft>(
  {
    address: address("0.0.0.0", 0),
    zone: hostName('a zone such as "cdn.example"'),
    names: oneOrMore(steeredName, NAMES_MAX),
    nameservers: named(hostName('a name such as "ns1.cdn.example"'), nameserverAddresses, NAMESERVERS_MAX),
    ttlMs: duration(0, TTL_MS_MAX),
    perSecond: integer({ min: 0, max: 1_000_000 }),
    fallback: name,
    edges: named(name, edge, EDGES_MAX),
    regions: named(name, region, REGIONS_MAX),
    roundTrips: named(name, named(name, milliseconds, REGIONS_MAX), REGIONS_MAX),
  },
  { required: ["zone", "nameservers", "edges", "regions"] },
);
