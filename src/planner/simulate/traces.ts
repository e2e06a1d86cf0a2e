/**
 * Loads over time on which autoscalers are compared: what a service meets in a day, each in its plainest form.
 *
 * A trace is in multiples of a base rate and in minutes, so that one definition serves several scales: the one that is
 * reported, and others to check it by.
 */

/** A load over time. Straight lines between its points. */
export interface Trace {
  readonly name: string;
  readonly about: string;
  readonly points: readonly (readonly [minute: number, times: number])[];
  /** Minutes during which autoscalers see nothing. */
  readonly blind?: { readonly from: number; readonly to: number };
}

/** Minutes that each trace lasts: long enough for the most patient of the autoscalers to come back. */
export const TRACE_MINUTES = 40;

/** An edge of a step: a load does not change in no time. */
const EDGE_MINUTES = 1 / 60;

const SINE_MINUTES = 20;
const SINE_POINTS = 40;

/** The sine from trough to crest: 1 to 10 times the base. */
function sinePoints(): [number, number][] {
  return Array.from({ length: SINE_POINTS * (TRACE_MINUTES / SINE_MINUTES) + 1 }, (_, index) => {
    const minute = (index * SINE_MINUTES) / SINE_POINTS;
    return [minute, 5.5 - 4.5 * Math.cos((2 * Math.PI * minute) / SINE_MINUTES)];
  });
}

/** News breaks: twelve times the readers within half a minute, who lose interest with a time constant of 4 min. */
function crowdPoints(): [number, number][] {
  const decay = Array.from({ length: 67 }, (_, index): [number, number] => {
    const minutes = index / 2;
    return [5.5 + minutes, 1 + 11 * Math.exp(-minutes / 4)];
  });
  return [[0, 1], [5, 1], ...decay];
}

/** All of them; a new one is one row. */
export const TRACES: readonly Trace[] = [
  {
    name: "step",
    about: "five times the load for a quarter of an hour",
    points: [
      [0, 1],
      [5, 1],
      [5 + EDGE_MINUTES, 5],
      [20, 5],
      [20 + EDGE_MINUTES, 1],
    ],
  },
  {
    name: "ramp",
    about: "ten times the load within ten minutes, and back as slowly",
    points: [
      [0, 1],
      [3, 1],
      [13, 10],
      [15, 10],
      [25, 1],
    ],
  },
  {
    name: "spike",
    about: "ten times the load for five minutes",
    points: [
      [0, 1],
      [10, 1],
      [10 + EDGE_MINUTES, 10],
      [15, 10],
      [15 + EDGE_MINUTES, 1],
    ],
  },
  { name: "sine", about: "one to ten times the load and back every 20 min", points: sinePoints() },
  {
    name: "flash crowd",
    about: "twelve times the load within 30 s, fading over 20 min",
    points: crowdPoints(),
  },
  {
    name: "metric loss",
    about: "double the load, then five minutes without metrics while it falls a little, then a third of it",
    points: [
      [0, 3],
      [5, 3],
      [5 + EDGE_MINUTES, 6],
      [11, 6],
      [11 + EDGE_MINUTES, 5],
      [20, 5],
      [20 + EDGE_MINUTES, 2],
    ],
    blind: { from: 7, to: 12 },
  },
];

/** The load at a minute, in multiples of the base. */
export function timesAt({ points }: Trace, minute: number): number {
  const after = points.findIndex(([at]) => at > minute);
  const [to, from] = after < 0 ? [points.at(-1), undefined] : [points[after], points[after - 1]];
  if (to === undefined) return 0;
  if (from === undefined) return to[1];
  return from[1] + ((to[1] - from[1]) * (minute - from[0])) / (to[0] - from[0]);
}

/** Less plain loads, beside the reported ones: what a rule does that was made for those alone shows here. */
export const OTHER_TRACES: readonly Trace[] = [
  {
    name: "pulses",
    about: "eight times the load for 40 s, every two minutes",
    points: Array.from({ length: 10 }, (_, index) => 5 + index * 2).flatMap((minute): [number, number][] => [
      [minute, 1],
      [minute + EDGE_MINUTES, 8],
      [minute + 2 / 3, 8],
      [minute + 2 / 3 + EDGE_MINUTES, 1],
    ]),
  },
  {
    name: "waves",
    about: "four times the load, up and down by 60 % every 50 s",
    points: Array.from({ length: 400 }, (_, index) => {
      const minute = index / 10;
      return [minute, 4 + 2.4 * Math.sin((2 * Math.PI * minute * 60) / 50)];
    }),
  },
  {
    name: "staircase",
    about: "half as much again every five minutes",
    points: Array.from({ length: 8 }, (_, index) => index).flatMap((step): [number, number][] => [
      [step * 5 + EDGE_MINUTES, 1.5 ** step],
      [(step + 1) * 5, 1.5 ** step],
    ]),
  },
  {
    name: "two days",
    about: "a morning, a lunch break and an evening, twice",
    points: [0, 20].flatMap((start): [number, number][] =>
      (
        [
          [0, 1],
          [4, 6],
          [7, 4],
          [12, 9],
          [17, 1.5],
          [19, 1],
        ] as const
      ).map(([at, times]) => [start + at, times]),
    ),
  },
];
