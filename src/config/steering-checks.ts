/** What must hold between the parts of `steering`: regions that exist, distances that are known, a zone that works. */
import { parseCidr } from "../base/index.ts";
import { nearestMend } from "./nearest.ts";
import type { Problem } from "./problem.ts";
import type { SteeringConfig } from "./steering.ts";

/** All problems; none without the section. */
export function* steeringProblems(steering: SteeringConfig | undefined): Iterable<Problem> {
  if (steering === undefined) return;
  yield* empty(steering);
  yield* unknownRegions(steering);
  yield* prefixesTwice(steering);
  yield* unknownDistances(steering);
  yield* lostNameservers(steering);
}

function* empty({ edges, regions, nameservers }: SteeringConfig): Iterable<Problem> {
  const rows = [
    ["edges", edges, "there is nothing to steer to", 'write edges: { fra: { region: "eu", addresses } }'],
    [
      "regions",
      regions,
      "there is nowhere to steer from",
      'write regions: { eu: { prefixes: ["192.0.2.0/24"] } }',
    ],
    ["nameservers", nameservers, "a zone has one at least", 'write { "ns1.cdn.example": "192.0.2.53" }'],
  ] as const;
  for (const [key, list, why, mend] of rows)
    if (list.length === 0) yield { path: `steering.${key}`, what: `is empty: ${why}`, mend };
}

function* unknownRegions({ edges, regions, roundTrips, fallback }: SteeringConfig): Iterable<Problem> {
  const known = regions.map(({ name }) => name);
  const named: (readonly [path: string, region: string])[] = [
    ...edges.map(({ name, region }) => [`steering.edges.${name}.region`, region] as const),
    ...roundTrips.map(({ from }) => [`steering.roundTrips.${from}`, from] as const),
    ...roundTrips.map(({ from, to }) => [`steering.roundTrips.${from}.${to}`, to] as const),
    ...(known.length === 0 ? [] : [["steering.fallback", fallback] as const]),
  ];
  for (const [path, region] of new Map(named)) {
    if (known.includes(region)) continue;
    yield { path, what: `no region is called "${region}"`, mend: nearestMend(region, known, "region") };
  }
}

/** The longest prefix counts; of two that are the same, none is longer. */
function* prefixesTwice({ regions }: SteeringConfig): Iterable<Problem> {
  const owners = new Map<string, string>();
  for (const { name, prefixes } of regions) {
    for (const [at, text] of prefixes.entries()) {
      const block = parseCidr(text);
      const key = block === undefined ? text : `${block.network.join(" ")}/${block.prefixBits}`;
      const owner = owners.get(key);
      if (owner !== undefined)
        yield {
          path: `steering.regions.${name}.prefixes[${at}]`,
          what: `${text} is in region ${owner} already`,
          mend: "take it out of one of them",
        };
      owners.set(key, name);
    }
  }
}

/** Between each region and each region with an edge. */
function* unknownDistances({ edges, regions, roundTrips }: SteeringConfig): Iterable<Problem> {
  const placed = new Set(regions.flatMap(({ name, at }) => (at === undefined ? [] : [name])));
  const known = new Set(roundTrips.flatMap(({ from, to }) => [`${from} ${to}`, `${to} ${from}`]));
  const withEdge = new Set(edges.map(({ region }) => region));
  for (const { name } of regions) {
    for (const other of withEdge) {
      if (name === other || known.has(`${name} ${other}`) || !regions.some((one) => one.name === other))
        continue;
      if (placed.has(name) && placed.has(other)) continue;
      yield {
        path: `steering.regions.${name}`,
        what: `nothing says how far ${other} is, where there is an edge`,
        mend: `write roundTrips: { ${name}: { ${other}: "90ms" } }, or \`at\` of both`,
      };
    }
  }
}

/** A name server inside the zone can only be found by an address that the zone itself gives. */
function* lostNameservers({ zone, nameservers }: SteeringConfig): Iterable<Problem> {
  for (const { name, addresses } of nameservers) {
    if (addresses.length > 0 || !`.${name}`.endsWith(`.${zone}`)) continue;
    yield {
      path: `steering.nameservers.${name}`,
      what: "has no address",
      mend: 'write one such as "192.0.2.53"',
    };
  }
}
