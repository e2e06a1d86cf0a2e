/** The schema of `health`: active checks, of targets, of tasks and of edges. */
import { isHost } from "./address.ts";
import type { HealthConfig } from "./config.ts";
import { below, type Place, report } from "./problem.ts";
import { bySort, leaf, mapped, object, oneOrMore, type Shape } from "./shape.ts";
import { duration, integer, number, word } from "./values.ts";

const share = number({ min: 0, max: 1 });
const count = (min: number, max: number): Shape<number> => integer({ min, max });

type StatusRange = readonly [from: number, to: number];

const status: Shape<StatusRange> = bySort<StatusRange>(
  {
    number: mapped(count(100, 599), (code) => [code, code] as const),
    string: leaf('a status such as "200-399"', "string", (value: string) => {
      const [, from, to = from] = /^([1-5]\d\d)(?:-([1-5]\d\d))?$/.exec(value) ?? [];
      return Number(from) <= Number(to) ? ([Number(from), Number(to)] as const) : undefined;
    }),
  },
  'a status such as 200 or "200-399"',
);

/** What `health` may hold. */
export const health: Shape<Partial<HealthConfig>> = object<Partial<HealthConfig>>(
  {
    kind: word(["http", "tcp"]),
    path: leaf('a path such as "/healthz"', "string", (value: string) =>
      /^\/[!-~]*$/.test(value) ? value : undefined,
    ),
    host: leaf("a host", "string", (value: string) =>
      isHost(value.replace(/:\d{1,5}$/, "")) ? value : undefined,
    ),
    port: count(1, 65_535),
    statuses: oneOrMore(status, 16),
    intervalMs: duration(50),
    timeoutMs: duration(10),
    rise: count(1, 100),
    fall: count(1, 100),
    jitter: share,
  },
  { check: tcpHasNoPath },
);

function tcpHasNoPath(draft: Partial<HealthConfig>, place: Place): void {
  if (draft.kind !== "tcp") return;
  for (const key of ["path", "host", "statuses"] as const)
    if (draft[key] !== undefined)
      report(below(place, key), "means nothing to a TCP check", 'remove it, or write kind: "http"');
}
