/**
 * A workload as people write it in a file; what is left out comes from a preset or from the defaults.
 *
 * Three steps, each with all its problems at once: what is written (shapes), what options put over it (`override.ts`),
 * and whether it makes sense as a whole (`problems.ts`).
 */
import { type Problem, shapes } from "../../config/index.ts";
import type { Outcome } from "../outcome.ts";
import { type QuantityPlace, readCount, readShare } from "../quantity.ts";
import { WORKLOAD_LIMITS } from "./limits.ts";
import { type Overrides, override } from "./override.ts";
import { PRESETS } from "./presets.ts";
import { problemsOf } from "./problems.ts";
import { type Action, DEFAULTS, type Per, type Workload } from "./workload.ts";

const { bounded, bySort, bytes, duration, integer, leaf, list, name, number, object, report, sortOf, word } =
  shapes;

const ACTIONS_MAX = 100;

const EXAMPLE = "{ preset: blog, users: 2M }";

/** Growth a year: "50%", "150%", "-10%", 0.5; or a problem. */
export function readGrowth(place: QuantityPlace, text: string): number | undefined {
  const [, percent] = /^(-?\d+(?:\.\d+)?) ?%$/.exec(text.trim()) ?? [];
  if (percent === undefined) return readShare(place, text);
  const growth = Number(percent) / 100;
  const { min, max } = WORKLOAD_LIMITS.growth;
  return growth >= min && growth <= max
    ? growth
    : report(place, `is ${text.trim()}`, `write a growth a year from ${min * 100}% to ${max * 100}%`);
}

const share = bySort<number>({
  number: number({ min: 0, max: 1 }),
  string: leaf('a share such as "5%"', "string", (text: string, place) => readShare(place, text)),
});

interface ActionDraft {
  readonly name: string;
  readonly kind: Action["kind"];
  readonly perUser: number;
  readonly perDay: number;
  readonly perWrite: number;
  readonly storedBytes: number;
  readonly answerBytes: number;
  readonly cpuMs: number;
  readonly cdnShare: number;
  readonly attachment: { readonly share: number; readonly bytes: number };
}

const COUNTED_BY: Readonly<Record<Per, "perUser" | "perDay" | "perWrite">> = {
  user: "perUser",
  day: "perDay",
  write: "perWrite",
};

const size = bytes(WORKLOAD_LIMITS.bytes.min, WORKLOAD_LIMITS.bytes.max);

/** A file's size stands under `size: "2MB"` or `sizeBytes: 2000000`. */
const attachment: shapes.Shape<ActionDraft["attachment"]> = {
  expected: '{ share: "10%", size: "2MB" }',
  read(input, place) {
    const draft = object<{ share: number; sizeBytes: number }>(
      { share, sizeBytes: size },
      { required: ["share", "sizeBytes"] },
    ).read(input, place);
    return draft === undefined ? undefined : { share: draft.share, bytes: draft.sizeBytes };
  },
};

const times = count(WORKLOAD_LIMITS.times);

const action = object<ActionDraft>(
  {
    name,
    kind: word(["read", "write"]),
    perUser: times,
    perDay: times,
    perWrite: times,
    storedBytes: size,
    answerBytes: size,
    cpuMs: duration(WORKLOAD_LIMITS.cpuMs.min, WORKLOAD_LIMITS.cpuMs.max),
    cdnShare: share,
    attachment,
  },
  { required: ["name", "kind"], exactlyOne: ["perUser", "perDay", "perWrite"] },
);

type WorkloadDraft = Omit<Workload, "actions"> & {
  readonly preset: string;
  readonly actions: readonly Partial<ActionDraft>[];
};

const workload = object<WorkloadDraft>({
  name,
  preset: word(Object.keys(PRESETS)),
  users: count(WORKLOAD_LIMITS.users),
  actions: list(action as shapes.Shape<Partial<ActionDraft>>, ACTIONS_MAX, 1),
  peak: number(WORKLOAD_LIMITS.peak),
  cpuMs: duration(WORKLOAD_LIMITS.cpuMs.min, WORKLOAD_LIMITS.cpuMs.max),
  coresPerServer: integer(WORKLOAD_LIMITS.coresPerServer),
  busyTarget: bySort<number>({
    number: number(WORKLOAD_LIMITS.busyTarget),
    string: leaf('a share such as "70%"', "string", (text: string, place) =>
      readShare(place, text, WORKLOAD_LIMITS.busyTarget),
    ),
  }),
  spareServers: integer(WORKLOAD_LIMITS.spareServers),
  copies: integer(WORKLOAD_LIMITS.copies),
  years: number(WORKLOAD_LIMITS.years),
  growth: bySort<number>({
    number: number(WORKLOAD_LIMITS.growth),
    string: leaf('a growth such as "50%"', "string", (text: string, place) => readGrowth(place, text)),
  }),
  hotShare: share,
  cdnShare: share,
});

/** The workload that `input` describes, with `over` put over it. */
export function parseWorkload(input: unknown, over: Overrides = {}): Outcome<Workload> {
  if (sortOf(input) !== "object")
    return {
      kind: "problems",
      problems: [{ path: "workload", what: "is no object", mend: `write ${EXAMPLE}` }],
    };
  const problems: Problem[] = [];
  const draft = workload.read(input, { path: "", problems });
  if (draft === undefined || problems.length > 0) return { kind: "problems", problems: bounded(problems) };
  const { preset, actions, ...given } = draft;
  const base: Workload = PRESETS[preset ?? ""] ?? { ...DEFAULTS, name: "workload", users: 0, actions: [] };
  const own = actions?.map(actionOf) ?? base.actions;
  const outcome = override({ ...base, ...given, actions: own }, over);
  if (outcome.kind === "problems") return outcome;
  const senseless = problemsOf(outcome.value);
  return senseless.length > 0 ? { kind: "problems", problems: bounded(senseless) } : outcome;
}

function actionOf({
  perUser,
  perDay,
  perWrite,
  name: called = "",
  kind = "read",
  ...own
}: Partial<ActionDraft>): Action {
  const counts = { perUser, perDay, perWrite };
  const [per = "user"] = (Object.keys(COUNTED_BY) as Per[]).filter(
    (one) => counts[COUNTED_BY[one]] !== undefined,
  );
  const often = counts[COUNTED_BY[per]] ?? 0;
  return { storedBytes: 0, answerBytes: 0, ...own, name: called, kind, times: often, per };
}

function count(limits: { readonly min: number; readonly max: number }): shapes.Shape<number> {
  return bySort<number>({
    number: number(limits),
    string: leaf('a number such as "10M"', "string", (text: string, place) => readCount(place, text, limits)),
  });
}
