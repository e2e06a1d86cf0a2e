/** How far two regions are from each other: as measured, or reckoned from where they are. */
import type { SteeringConfig, SteeringRegion } from "../config/index.ts";

/** Mean radius of the Earth (IUGG), km. */
const EARTH_KM = 6371.0088;

/**
 * Light in glass makes 200 km a millisecond, there and back 100 km of distance for each millisecond of round trip. Cables
 * are no great circles: half as long again is the usual allowance.
 */
const KM_PER_ROUND_TRIP_MS = 100 / 1.5;

/** A round trip, and how it is known. */
export interface Distance {
  readonly ms: number;
  readonly how: "same-region" | "round-trip" | "great-circle";
  /** Great circle, where that is what is known. */
  readonly km?: number;
}

/** The round trip between two regions of a config that was checked. Throws when nothing says how far they are. */
export function distanceBetween(
  { regions, roundTrips }: Pick<SteeringConfig, "regions" | "roundTrips">,
  from: string,
  to: string,
): Distance {
  const known = roundTrips.find(
    (row) => (row.from === from && row.to === to) || (row.from === to && row.to === from),
  );
  if (known !== undefined) return { ms: known.ms, how: "round-trip" };
  if (from === to) return { ms: 0, how: "same-region" };
  const km = greatCircleKm(placeOf(regions, from), placeOf(regions, to));
  return { ms: km / KM_PER_ROUND_TRIP_MS, how: "great-circle", km };
}

function placeOf(regions: readonly SteeringRegion[], name: string): readonly [number, number] {
  const at = regions.find((region) => region.name === name)?.at;
  if (at === undefined) throw new Error(`steering: nothing says where ${name} is`);
  return at;
}

/** The haversine formula; arguments are latitude and longitude in degrees. */
export function greatCircleKm(a: readonly [number, number], b: readonly [number, number]): number {
  const radians = (degrees: number): number => (degrees * Math.PI) / 180;
  const [latitudeA, longitudeA] = [radians(a[0]), radians(a[1])];
  const [latitudeB, longitudeB] = [radians(b[0]), radians(b[1])];
  const chord =
    Math.sin((latitudeB - latitudeA) / 2) ** 2 +
    Math.cos(latitudeA) * Math.cos(latitudeB) * Math.sin((longitudeB - longitudeA) / 2) ** 2;
  return 2 * EARTH_KM * Math.asin(Math.min(1, Math.sqrt(chord)));
}
