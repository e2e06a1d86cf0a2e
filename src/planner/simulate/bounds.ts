/** Bounds of a design, and the shapes of small values that its parts share. */
import { shapes } from "../../config/index.ts";
import { parseRate, parseShare } from "../quantity.ts";

const { bySort, integer, leaf, number } = shapes;

/** Nodes and classes of clients in one design: more are not drawn by people, and slow to simulate. */
export const NODES_MAX = 1000;

/** Tasks of one service: what one production group holds. */
export const TASKS_MAX = 4000;

/** Gateways of one node: each keeps a scoreboard for every task. */
export const GATEWAYS_MAX = 100;

/** Routes, and calls of one route. */
export const CALLS_MAX = 100;
/** Faults of one run. */
export const FAULTS_MAX = 1000;
/** Points of a profile. */
export const POINTS_MAX = 10_000;

/** Per second. */
export const rate: shapes.Shape<number> = leaf('a rate such as "100/s"', "string", (text: string) =>
  parseRate(text),
);

/** 0..1, or a percentage. */
export const share: shapes.Shape<number> = bySort<number>({
  number: number({ min: 0, max: 1 }),
  string: leaf('a share such as "5%"', "string", (text: string) => parseShare(text)),
});

/** A whole number. */
export const count = (max: number, min = 0): shapes.Shape<number> => integer({ min, max });
