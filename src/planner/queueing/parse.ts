/** Stations and measured points as people write them in a file. */
import { type Problem, shapes } from "../../config/index.ts";
import { type Outcome, ok } from "../outcome.ts";
import type { Station } from "./station.ts";
import type { UslPoint } from "./usl.ts";

const { duration, integer, leaf, list, name, number, object, bySort, bounded } = shapes;

/** Stations in one file: more are not a model that anybody wrote by hand. */
const STATIONS_MAX = 1000;

/** Points in one file. */
const POINTS_MAX = 10_000;

interface StationDraft {
  readonly name: string;
  readonly visits?: number;
  readonly timeMs: number;
  readonly servers?: number;
}

const servers = bySort<number>(
  {
    number: integer({ min: 1, max: 100_000 }),
    string: leaf('"delay"', "string", (text: string) => (text === "delay" ? Infinity : undefined)),
  },
  'a whole number from 1 to 100000, or "delay" for a station without a queue',
);

const station = object<StationDraft>(
  { name, visits: number({ min: 0, max: 1e9 }), timeMs: duration(0), servers },
  { required: ["name"], someOf: ["timeMs"] },
);

const stationList = list(station, STATIONS_MAX, 1, "a list such as [{ name: cpu, visits: 3, time: 5ms }]");

/** Stations of a list; one visit and one server unless they say otherwise. */
export function parseStations(input: unknown): Outcome<readonly Station[]> {
  const problems: Problem[] = [];
  const drafts = stationList.read(input, { path: "stations", problems }) ?? [];
  const names = drafts.map(({ name: of }) => of);
  for (const [index, of] of names.entries())
    if (names.indexOf(of) < index)
      problems.push({
        path: `stations[${index}].name`,
        what: `is "${of}", as another is`,
        mend: "name each once, and count repeated visits with visits",
      });
  if (problems.length > 0) return { kind: "problems", problems: bounded(problems) };
  return ok(
    drafts.map(({ name: of, visits = 1, timeMs, servers: count = 1 }) => ({
      name: of,
      visits,
      serviceMs: timeMs,
      servers: count,
    })),
  );
}

/** Points of lines "N, throughput"; a first line of words and lines that begin with # are passed over. */
export function parseUslPoints(text: string): Outcome<readonly UslPoint[]> {
  const problems: Problem[] = [];
  const points: UslPoint[] = [];
  for (const [index, line] of text.split(/\r?\n/).entries()) {
    const trimmed = line.trim();
    if (trimmed === "" || trimmed.startsWith("#")) continue;
    const [n = Number.NaN, throughput = Number.NaN] = trimmed.split(/[\s,;]+/).map(Number);
    if (n >= 1 && throughput > 0 && Number.isFinite(n * n * throughput * throughput))
      points.push({ n, throughput });
    else if (points.length > 0 || problems.length > 0 || /\d/.test(trimmed))
      problems.push({
        path: `line ${index + 1}`,
        what: `is "${trimmed.slice(0, 40)}"`,
        mend: 'write N, from 1 on, and the throughput above 0 that was measured there, such as "8, 3500"',
      });
  }
  if (points.length > POINTS_MAX)
    problems.push({ path: "points", what: `are ${points.length}`, mend: `keep to ${POINTS_MAX}` });
  if (new Set(points.map(({ n }) => n)).size < 3)
    problems.push({
      path: "points",
      what: "are of fewer than three different N",
      mend: "measure at three or more, and at one that is past the peak",
    });
  return problems.length > 0 ? { kind: "problems", problems: bounded(problems) } : ok(points);
}
