/** A workload as people write it in a file; what is left out comes from a preset or from the defaults. */
import { type Problem, shapes } from "../../config/index.ts";
import { type Outcome, ok } from "../outcome.ts";
import { COUNT_MAX, parseCount, parseShare } from "../quantity.ts";
import { type Action, DEFAULTS, PRESETS, type Workload } from "./workload.ts";

const { bounded, bySort, bytes, duration, leaf, list, name, number, object, report, word } = shapes;

const ACTIONS_MAX = 100;
const PETABYTE = 1e15;

const count = bySort<number>({
  number: number({ min: 0, max: COUNT_MAX }),
  string: leaf('a number such as "10M"', "string", (text: string) => parseCount(text)),
});

const share = bySort<number>({
  number: number({ min: 0, max: 1 }),
  string: leaf('a share such as "5%"', "string", (text: string) => parseShare(text)),
});

interface ActionDraft {
  readonly name: string;
  readonly kind: Action["kind"];
  readonly perUser: number;
  readonly perDay: number;
  readonly storedBytes: number;
  readonly answerBytes: number;
  readonly attachment: { readonly share: number; readonly bytes: number };
}

const size = bytes(0, PETABYTE);

/** A file's size stands under `size: "2MB"` or `bytes: 2000000`. */
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

const action = object<ActionDraft>(
  {
    name,
    kind: word(["read", "write"]),
    perUser: count,
    perDay: count,
    storedBytes: size,
    answerBytes: size,
    attachment,
  },
  { required: ["name", "kind"], exactlyOne: ["perUser", "perDay"] },
);

type WorkloadDraft = Omit<Workload, "actions"> & {
  readonly preset: string;
  readonly actions: readonly Partial<ActionDraft>[];
};

const workload = object<WorkloadDraft>({
  name,
  preset: leaf("a preset", "string", (text: string, place) =>
    Object.hasOwn(PRESETS, text)
      ? text
      : report(place, `is "${text}"`, `write one of ${Object.keys(PRESETS).join(", ")}`),
  ),
  users: count,
  actions: list(action as shapes.Shape<Partial<ActionDraft>>, ACTIONS_MAX, 1),
  peak: number({ min: 1, max: 1000 }),
  cpuMs: duration(0),
  coresPerServer: number({ min: 1, max: 1024 }),
  busyTarget: number({ min: 0.01, max: 1 }),
  spareServers: number({ min: 0, max: 1000 }),
  copies: number({ min: 1, max: 100 }),
  years: number({ min: 0, max: 100 }),
  growth: bySort<number>({
    number: number({ min: -0.99, max: 100 }),
    string: leaf('a share such as "50%"', "string", (text: string) => parseShare(text)),
  }),
  hotShare: share,
  cdnShare: share,
});

/** The workload that `input` describes. */
export function parseWorkload(input: unknown): Outcome<Workload> {
  const problems: Problem[] = [];
  const draft = workload.read(input, { path: "", problems });
  if (draft === undefined || problems.length > 0) return { kind: "problems", problems: bounded(problems) };
  const { preset, actions, ...given } = draft;
  const base: Workload = PRESETS[preset ?? ""] ?? { ...DEFAULTS, name: "workload", users: 0, actions: [] };
  const users = given.users ?? base.users;
  const scale = base.users > 0 ? users / base.users : 1;
  const own =
    actions?.map((one) => actionOf(one, users)) ??
    base.actions.map((one) => ({ ...one, perDay: one.perDay * scale }));
  if (own.length === 0)
    return {
      kind: "problems",
      problems: [
        {
          path: "actions",
          what: "are missing",
          mend: 'write [{ name: views, kind: read, perUser: 10, answer: "100KB" }], or preset: blog',
        },
      ],
    };
  return ok({ ...base, ...given, users, actions: own });
}

function actionOf(
  {
    name: of = "",
    kind = "read",
    perUser = 0,
    perDay,
    storedBytes = 0,
    answerBytes = 0,
    attachment: file,
  }: Partial<ActionDraft>,
  users: number,
): Action {
  return {
    name: of,
    kind,
    perDay: perDay ?? perUser * users,
    storedBytes,
    answerBytes,
    ...(file === undefined ? {} : { attachment: file }),
  };
}
