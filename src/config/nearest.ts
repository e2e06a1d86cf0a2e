/**
 * The known name that someone probably meant.
 *
 * Optimal string alignment distance (Damerau-Levenshtein without overlapping edits): insert, delete, replace and
 * swap of neighbours cost 1 each. Words of other balancers are looked up first, for whoever comes from there.
 */

/** Longest name compared; the table is quadratic, and nobody mistypes a name of this length. */
const NAME_LENGTH_MAX = 64;

/** Share of a name that may be wrong before a guess is more confusing than none. */
const WRONG_SHARE_MAX = 1 / 3;

/** What others call our keys (nginx, HAProxy, Envoy, Traefik, ECS, Kubernetes, PM2), without "-" and "_", lower case. */
const SYNONYMS: Readonly<Record<string, string>> = {
  backend: "forward",
  backends: "targetGroups",
  balance: "algorithm",
  bind: "address",
  clusters: "targetGroups",
  cmd: "command",
  entrypoints: "listeners",
  environment: "env",
  frontends: "listeners",
  healthcheck: "health",
  healthythreshold: "rise",
  instances: "tasks",
  ketama: "consistent-hash",
  lbpolicy: "algorithm",
  leastconn: "least-requests",
  leastconnections: "least-requests",
  listen: "address",
  loadbalancing: "algorithm",
  pools: "targetGroups",
  port: "address",
  proxypass: "forward",
  replicas: "tasks",
  return: "respond",
  ringhash: "consistent-hash",
  routes: "rules",
  script: "command",
  servers: "targets",
  strategy: "algorithm",
  unhealthythreshold: "fall",
  upstream: "forward",
  upstreams: "targetGroups",
};

/** The name of `known` nearest to `name`, or undefined when none is near. Ties go to the first. */
export function nearest(name: string, known: Iterable<string>): string | undefined {
  const names = [...known];
  const word = plain(name);
  const synonym = Object.hasOwn(SYNONYMS, word) ? SYNONYMS[word] : undefined;
  if (synonym !== undefined && names.includes(synonym)) return synonym;
  let best: { readonly name: string; readonly distance: number } | undefined;
  for (const candidate of names) {
    const distance = distanceIfNear(word, plain(candidate));
    if (distance !== undefined && distance < (best?.distance ?? Infinity))
      best = { name: candidate, distance };
  }
  return best?.name;
}

/** The mend for an unknown name: the nearest of `known` as a question, or all that are `listed`. */
export function nearestMend(
  name: string,
  known: readonly string[],
  noun: string,
  listed: readonly string[] = known,
): string {
  const near = nearest(name, known);
  if (near !== undefined) return `did you mean "${near}"?`;
  return listed.length === 0 ? `there is no ${noun} yet` : `known: ${listed.join(", ")}`;
}

/** `a`, `a or b`, `a, b or c`. */
export function choice(words: readonly string[]): string {
  const last = words.at(-1) ?? "";
  return words.length < 2 ? last : `${words.slice(0, -1).join(", ")} or ${last}`;
}

/** Optimal string alignment distance. O(a·b) time, three rows of memory. */
export function editDistance(a: string, b: string): number {
  let before: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let row = 1; row <= a.length; row++) {
    const next = [row];
    for (let column = 1; column <= b.length; column++) {
      const same = a[row - 1] === b[column - 1];
      const replaced = at(last, column - 1) + (same ? 0 : 1);
      const swapped = isSwap(a, b, row, column) ? at(before, column - 2) + 1 : Infinity;
      next.push(Math.min(replaced, swapped, at(last, column) + 1, at(next, column - 1) + 1));
    }
    before = last;
    last = next;
  }
  return at(last, b.length);
}

function isSwap(a: string, b: string, row: number, column: number): boolean {
  return row > 1 && column > 1 && a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1];
}

function at(row: readonly number[], column: number): number {
  return row[column] ?? Infinity;
}

/** Case and word marks are the commonest slip and cost nothing: access_log, accesslog and accessLog are one. */
function plain(name: string): string {
  return name.toLowerCase().replaceAll(/[-_]/g, "");
}

function distanceIfNear(a: string, b: string): number | undefined {
  if (a.length > NAME_LENGTH_MAX || b.length > NAME_LENGTH_MAX) return undefined;
  const distance = editDistance(a, b);
  const limit = Math.max(1, Math.floor(Math.max(a.length, b.length) * WRONG_SHARE_MAX));
  return distance <= limit && distance < b.length ? distance : undefined;
}
