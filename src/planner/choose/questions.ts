/** Every question by its name, in the order in which a design meets them. A new one is one file and one row. */
import { algorithm } from "./algorithm.ts";
import { caching } from "./caching.ts";
import { consistency } from "./consistency.ts";
import { dataScaling } from "./data-scaling.ts";
import { fanOut } from "./fan-out.ts";
import { layer } from "./layer.ts";
import type { Question } from "./question.ts";
import { redundancy } from "./redundancy.ts";
import { sessions } from "./sessions.ts";
import { store } from "./store.ts";
import { verticalOrHorizontal } from "./vertical-or-horizontal.ts";

/** Name -> question. */
export const CHOICES: Readonly<Record<string, Question>> = {
  scaling: verticalOrHorizontal,
  algorithm,
  sessions,
  layer,
  consistency,
  redundancy,
  store,
  caching,
  "fan-out": fanOut,
  database: dataScaling,
};
