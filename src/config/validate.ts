/**
 * Rules over several parts of a file: names that must exist, addresses that clash, settings that contradict.
 *
 * Each check is one row of `CHECKS`: it sees the whole config and the draft it came from, and yields problems.
 */
import { formatBytes } from "../base/index.ts";
import { formatAddress } from "./address.ts";
import type { Address, Config, ListenerConfig, MatchConfig, ServiceConfig, TargetConfig } from "./config.ts";
import { databaseAddresses, databaseProblems } from "./database-checks.ts";
import { deployMend, stuckAt } from "./deploy-percent.ts";
import type { ConfigDraft, GroupSettings } from "./draft.ts";
import { choice, nearestMend } from "./nearest.ts";
import { type Problem, pathTo } from "./problem.ts";
import { GROUP_SLOTS, SLOTS } from "./snapshot.ts";
import { steeringProblems } from "./steering-checks.ts";
import { EMBEDDED_STORE } from "./store.ts";
import { storeProblems } from "./store-checks.ts";

interface Checked {
  readonly config: Config;
  readonly draft: ConfigDraft;
  /** Whether something at or below this path could not be read, so that a judgement on it would mislead. */
  readonly broken: (path: string) => boolean;
}

type Check = (checked: Checked) => Iterable<Problem>;

const CHECKS: readonly Check[] = [
  somethingToDo,
  addressClashes,
  unknownGroups,
  fallbacks,
  edgeNames,
  emptyGroups,
  unreachableRules,
  serviceGroupTargets,
  settingsTwice,
  hashKeysUnread,
  targetsTwice,
  tooManyTargets,
  stuckDeploys,
  ({ config }) => steeringProblems(config.steering),
  slicesTooLarge,
  storeServices,
  storeTls,
  ({ config }) => storeProblems(config.stores),
  ({ config, draft }) => databaseProblems(config, draft.databases),
];

/** An object may take a hundredth of the cache, tables and heads counted. */
const SLICES_MIN = 128;

/** All problems between the parts of a config. `found` are those of reading it; what depends on them is left out. */
export function validate(config: Config, draft: ConfigDraft, found: readonly Problem[]): readonly Problem[] {
  const broken = (path: string): boolean => found.some((problem) => isWithin(problem.path, path));
  const problems = CHECKS.flatMap((check) => [...check({ config, draft, broken })]);
  return problems.filter((problem) => problem.path === "config" || !broken(problem.path));
}

function isWithin(path: string, folder: string): boolean {
  return (
    path.startsWith(folder) && (path.length === folder.length || /[.[]/.test(path.charAt(folder.length)))
  );
}

function* somethingToDo({ config, broken }: Checked): Iterable<Problem> {
  const { listeners, services, stores, databases, steering } = config;
  if (listeners.length + services.length + stores.length + databases.length > 0 || steering !== undefined)
    return;
  if (["listeners", "services", "databases", "steering", "config"].some(broken)) return;
  yield {
    path: "config",
    what: "has neither listeners nor services",
    mend: "write listeners: { web: { address, rules } }",
  };
}

function* slicesTooLarge({ config }: Checked): Iterable<Problem> {
  const { memoryBytes } = config.gateway.cache;
  for (const { name, rules } of config.listeners) {
    for (const [index, { cache }] of rules.entries()) {
      if (cache === undefined || cache.sliceBytes === 0) continue;
      const { sliceBytes, objectBytesMax } = cache;
      const path = `${rulePath(name, index)}.cache.slice`;
      const slice = formatBytes(sliceBytes);
      const needed = formatBytes(sliceBytes * SLICES_MIN);
      if (sliceBytes * SLICES_MIN > memoryBytes)
        yield {
          path,
          what: `is ${slice}, and no object of that size is kept`,
          mend: `write gateway: { cache: { memory: "${needed}" } }, or more`,
        };
      else if (objectBytesMax > 0 && objectBytesMax < sliceBytes)
        yield {
          path,
          what: `is ${slice}, and objectMax forbids to keep that`,
          mend: `write objectMax: "${slice}", or more`,
        };
    }
  }
}

/** The embedded store is run as a service of its own. */
function* storeServices({ config }: Checked): Iterable<Problem> {
  for (const { name, url } of config.stores) {
    if (url !== EMBEDDED_STORE || !config.targetGroups.some((group) => group.name === `store-${name}`))
      continue;
    const what = `needs the name store-${name}, which a service or target group has`;
    yield { path: `stores.${name}`, what, mend: "give one of the two another name" };
  }
}

/** A store by URL brings its own certificate; that of the embedded one needs its key. */
function* storeTls({ config }: Checked): Iterable<Problem> {
  for (const { name, url, tls } of config.stores) {
    if (tls === undefined) continue;
    const path = `stores.${name}.tls`;
    const own = (["cert", "key", "host", "clientCa"] as const).find((key) => tls[key] !== undefined);
    if (url !== EMBEDDED_STORE && own !== undefined)
      yield {
        path: `${path}.${own}`,
        what: "is for the embedded store",
        mend: `write url: "${EMBEDDED_STORE}", or nothing but ca here`,
      };
    if (url !== EMBEDDED_STORE) continue;
    const missing = (["cert", "key"] as const).find((key) => tls[key] === undefined);
    if (missing !== undefined)
      yield { path, what: `needs ${missing}`, mend: "name the files of the certificate and of its key" };
  }
}

/** Hosts that take every address of the machine. */
const WILDCARDS: readonly string[] = ["0.0.0.0", "::"];

function* addressClashes({ config }: Checked): Iterable<Problem> {
  const taken = [{ path: "admin.address", address: config.admin.address }];
  const embedded = config.stores.filter(({ url }) => url === EMBEDDED_STORE);
  const opened = [
    ...config.listeners.map(({ name, address }) => ({ path: `listeners.${name}.address`, address })),
    ...embedded.map(({ name, address }) => ({ path: `stores.${name}.address`, address })),
    ...config.databases.flatMap(databaseAddresses),
  ];
  for (const { path, address } of opened) {
    const other = taken.find((entry) => clash(entry.address, address));
    if (other)
      yield { path, what: `${formatAddress(address)} is taken by ${other.path}`, mend: "use another port" };
    taken.push({ path, address });
  }
}

function clash(a: Address, b: Address): boolean {
  if (a.port !== b.port || a.port === 0) return false;
  return a.host === b.host || WILDCARDS.includes(a.host) || WILDCARDS.includes(b.host);
}

function* unknownGroups({ config }: Checked): Iterable<Problem> {
  const known = config.targetGroups.map((group) => group.name);
  for (const { name, rules } of config.listeners) {
    for (const [index, { action }] of rules.entries()) {
      if (action.kind !== "forward") continue;
      for (const { group } of action.groups) {
        if (known.includes(group)) continue;
        const mend = nearestMend(group, known, "target group or service");
        yield {
          path: `${rulePath(name, index)}.forward`,
          what: `no target group or service is called "${group}"`,
          mend,
        };
      }
    }
  }
}

/** A fallback that is there, is another group, and does not lead back. */
function* fallbacks({ config, draft }: Checked): Iterable<Problem> {
  const groups = new Map(config.targetGroups.map((group) => [group.name, group]));
  for (const { name, fallback } of config.targetGroups) {
    if (fallback === undefined) continue;
    const path = `${draft.services?.get(name)?.fallback ? "services" : "targetGroups"}.${name}.fallback`;
    const mend = nearestMend(fallback.group, [...groups.keys()], "target group or service");
    if (!groups.has(fallback.group))
      yield { path, what: `no target group or service is called "${fallback.group}"`, mend };
    const way = [name];
    for (
      let next: string | undefined = fallback.group;
      next !== undefined;
      next = groups.get(next)?.fallback?.group
    ) {
      way.push(next);
      if (next === name)
        yield {
          path,
          what: `leads back to itself: ${way.join(" -> ")}`,
          mend: "let one of them have no fallback",
        };
      if (way.indexOf(next) < way.length - 1) break;
    }
  }
}

/** Records of purges are numbered by the installation that they were asked of. */
function* edgeNames({ config }: Checked): Iterable<Problem> {
  const own = config.gateway.edge;
  if (config.edges.length > 0 && own === undefined)
    yield {
      path: "edges",
      what: "need a name for this installation, by which the others know its purges",
      mend: 'write gateway: { edge: "fra" }',
    };
  if (own !== undefined && config.edges.some(({ name }) => name === own))
    yield { path: `edges.${own}`, what: "is this installation itself", mend: "list the others alone" };
}

function rulePath(listener: string, index: number): string {
  return `listeners.${listener}.rules[${index}]`;
}

function* emptyGroups({ config }: Checked): Iterable<Problem> {
  for (const { name, targets, service } of config.targetGroups) {
    if (service !== undefined || targets.length > 0) continue;
    yield {
      path: `targetGroups.${name}`,
      what: "has no targets and no service fills it",
      mend: 'write targets: ["host:port"]',
    };
  }
}

/** First match wins, so a rule behind one that matches all of its requests never runs. */
function* unreachableRules({ config, broken }: Checked): Iterable<Problem> {
  for (const listener of config.listeners) {
    const first = firstUnreachable(listener, broken);
    if (first) yield first;
  }
}

function firstUnreachable({ name, rules }: ListenerConfig, broken: Checked["broken"]): Problem | undefined {
  const seen = new Map<string, number>();
  let all = -1;
  for (const [index, { match }] of rules.entries()) {
    const text = JSON.stringify(match);
    const same = seen.get(text);
    const path = rulePath(name, index);
    if (all >= 0)
      return {
        path,
        what: `is never reached: rules[${all}] matches every request`,
        mend: `move rules[${all}] to the end`,
      };
    if (same !== undefined)
      return {
        path,
        what: `is never reached: rules[${same}] matches the same`,
        mend: "change or remove one of them",
      };
    if (broken(path)) continue;
    seen.set(text, index);
    if (matchesAll(match)) all = index;
  }
  return undefined;
}

function matchesAll(match: MatchConfig): boolean {
  return Object.values(match).every((conditions: readonly unknown[]) => conditions.length === 0);
}

function* serviceGroupTargets({ draft }: Checked): Iterable<Problem> {
  for (const name of draft.services?.keys() ?? []) {
    if (!draft.targetGroups?.get(name)?.targets?.length) continue;
    const what = `cannot be given: the service ${name} fills this group with its tasks`;
    yield { path: `targetGroups.${name}.targets`, what, mend: "remove them, or give the group another name" };
  }
}

function* settingsTwice({ draft }: Checked): Iterable<Problem> {
  for (const [name, service] of draft.services ?? []) {
    for (const key of Object.keys(draft.targetGroups?.get(name) ?? {})) {
      if (key === "targets" || !(key in service)) continue;
      const path = `targetGroups.${name}.${written(key)}`;
      yield { path, what: `is given twice, here and in services.${name}`, mend: "keep one of the two" };
    }
  }
}

/** The group settings that carry a unit are usually written without. */
function written(key: string): string {
  return key.replace(/Ms$/, "");
}

const HASHING: readonly string[] = ["hash", "consistent-hash", "maglev"];

function* hashKeysUnread({ config, draft }: Checked): Iterable<Problem> {
  for (const { name, algorithm } of config.targetGroups) {
    const path = pathOfOn(draft, name);
    if (path === undefined || HASHING.includes(algorithm)) continue;
    const mend = `remove it, or write algorithm: ${choice(HASHING.map((known) => JSON.stringify(known)))}`;
    yield { path, what: `means nothing to the algorithm ${algorithm}`, mend };
  }
}

function pathOfOn({ services, targetGroups }: ConfigDraft, name: string): string | undefined {
  const has = (settings: GroupSettings | undefined): boolean => settings?.on !== undefined;
  if (has(services?.get(name))) return `services.${name}.on`;
  return has(targetGroups?.get(name)) ? `targetGroups.${name}.on` : undefined;
}

function* targetsTwice({ config }: Checked): Iterable<Problem> {
  for (const { name, targets } of config.targetGroups) {
    const seen = new Map<string, number>();
    yield* namesTwice(name, targets);
    for (const [index, { address }] of targets.entries()) {
      const id = formatAddress(address);
      const first = seen.get(id);
      if (first === undefined) seen.set(id, index);
      else if (address.port > 0)
        yield {
          path: `targetGroups.${name}.targets[${index}]`,
          what: `${id} is targets[${first}] already`,
          mend: "remove one; a higher weight gives a target more requests",
        };
    }
  }
}

function* namesTwice(group: string, targets: readonly TargetConfig[]): Iterable<Problem> {
  const seen = new Map<string, number>();
  for (const [index, { name }] of targets.entries()) {
    const first = name === undefined ? undefined : seen.get(name);
    if (name !== undefined && first === undefined) seen.set(name, index);
    if (first === undefined) continue;
    const what = `is called ${name}, as targets[${first}] is`;
    yield { path: `targetGroups.${group}.targets[${index}].name`, what, mend: "give each a name of its own" };
  }
}

/** What the shared scoreboard has rows for, counting every service at its largest and in the midst of a deploy. */
function* tooManyTargets({ config }: Checked): Iterable<Problem> {
  const groups = config.targetGroups.length;
  if (groups > GROUP_SLOTS)
    yield {
      path: "config",
      what: `has ${groups} target groups and services`,
      mend: `keep to ${GROUP_SLOTS}`,
    };
  const fixed = config.targetGroups.reduce((sum, group) => sum + group.targets.length, 0);
  const total = config.services.reduce((sum, service) => sum + tasksAtMost(service), fixed);
  if (total > SLOTS)
    yield { path: "config", what: `can reach ${total} targets during a deploy`, mend: `keep to ${SLOTS}` };
}

function tasksAtMost({ autoscale, tasks, deploy }: ServiceConfig): number {
  return Math.ceil(((autoscale?.max ?? tasks) * deploy.maxPercent) / 100);
}

function* stuckDeploys({ config, draft }: Checked): Iterable<Problem> {
  for (const { name, tasks, autoscale, deploy } of config.services) {
    const stuck = stuckAt(deploy, autoscale?.min ?? tasks, autoscale?.max ?? tasks);
    if (stuck === undefined) continue;
    const { minHealthyPercent, maxPercent } = deploy;
    const what = `could never move with ${stuck} task${stuck === 1 ? "" : "s"}: ${minHealthyPercent} % must stay up and ${maxPercent} % of ${stuck} leaves no room for one more`;
    const path = draft.services?.get(name)?.deploy
      ? pathTo(`services.${name}`, "deploy")
      : `services.${name}`;
    yield { path, what, mend: deployMend(stuck) };
  }
}
