/**
 * Why a request takes the route it takes: pure, from the config, by the very code that the gateway routes with.
 *
 * Each rule above the one that matches says which of its conditions did not hold. That is found by compiling each
 * condition as a rule of its own.
 */
import {
  type Config,
  describeMatch,
  type ListenerConfig,
  type MatchConfig,
  type RuleConfig,
  type TargetGroupConfig,
} from "../config/index.ts";
import { compileRoutes, findRoute, type RequestView } from "../gateway/index.ts";
import type { CacheExplanation } from "../gateway/io/index.ts";
import { asBytes, REQUEST_ERRORS, RequestHead } from "../http/index.ts";

/** The request that is asked about. */
export interface RequestQuestion {
  readonly method: string;
  /** Path and query. */
  readonly target: string;
  readonly host: string;
  readonly headers: readonly (readonly [name: string, value: string])[];
  /** Address of the client. */
  readonly source: string;
}

/** A rule that was passed over, and the first of its conditions that did not hold. */
export interface PassedRule {
  readonly rule: string;
  readonly condition: string;
}

/** What one listener does with the request. */
export interface ListenerRoute {
  readonly listener: string;
  readonly passed: readonly PassedRule[];
  /** The rule that matches; absent when none does, which is a 404 `no-rule`. */
  readonly rule?: RuleConfig;
  /** The groups that the rule forwards to, and their fallbacks. */
  readonly groups: readonly TargetGroupConfig[];
  /** What the rule's cache would do; absent without one. */
  readonly cache?: CacheExplanation;
}

/** Asks the cache of a rule. */
export type LookIntoCache = (rule: RuleConfig, view: RequestView) => CacheExplanation | undefined;

/** The routes of all listeners, or why the request would be refused by each. */
export type RouteExplanation =
  | { readonly kind: "routes"; readonly routes: readonly ListenerRoute[] }
  | { readonly kind: "refused"; readonly code: string; readonly message: string };

/** Explains the route of a request on every listener. */
export function explainRoute(
  config: Config,
  question: RequestQuestion,
  look: LookIntoCache,
): RouteExplanation {
  const bytes = asBytes(headOf(question));
  const head = new RequestHead();
  if (head.parse(bytes, 0, bytes.length) <= 0) {
    const code = head.error ?? "method-invalid";
    return { kind: "refused", code, message: REQUEST_ERRORS[code].message };
  }
  const view: RequestView = { head, bytes, clientIp: question.source };
  return {
    kind: "routes",
    routes: config.listeners.map((listener) => routeOf(config, listener, view, look)),
  };
}

function headOf({ method, target, host, headers }: RequestQuestion): string {
  const fields = [["host", host], ...headers].map(([name, value]) => `${name}: ${value}\r\n`);
  return `${method} ${target} HTTP/1.1\r\n${fields.join("")}\r\n`;
}

function routeOf(
  config: Config,
  { name, rules }: ListenerConfig,
  view: RequestView,
  look: LookIntoCache,
): ListenerRoute {
  const found = findRoute(compileRoutes(rules), view)?.rule;
  const before = found === undefined ? rules : rules.slice(0, rules.indexOf(found));
  const passed = before.map((rule) => ({ rule: rule.name, condition: failedCondition(rule, view) }));
  if (found === undefined) return { listener: name, passed, groups: [] };
  const cache = found.cache === undefined ? undefined : look(found, view);
  const groups = groupsOf(config, found);
  return { listener: name, passed, rule: found, groups, ...(cache === undefined ? {} : { cache }) };
}

function groupsOf({ targetGroups }: Config, { action }: RuleConfig): TargetGroupConfig[] {
  if (action.kind !== "forward") return [];
  const names = new Set(action.groups.map(({ group }) => group));
  // A set yields what is added while it is gone through: the fallback of each, and that one's own.
  for (const name of names) {
    const fallback = targetGroups.find((group) => group.name === name)?.fallback;
    if (fallback !== undefined) names.add(fallback.group);
  }
  return targetGroups.filter((group) => names.has(group.name));
}

/** The first condition of a rule that does not hold, in words. */
function failedCondition(rule: RuleConfig, view: RequestView): string {
  const failed = conditionsOf(rule.match).find(
    (match) => findRoute(compileRoutes([{ ...rule, match }]), view) === undefined,
  );
  return failed === undefined ? "" : describeMatch(failed);
}

const NO_CONDITIONS: MatchConfig = {
  hosts: [],
  paths: [],
  methods: [],
  headers: [],
  queries: [],
  sourceIps: [],
};

/** Each condition as a match of its own, in the order in which the gateway looks at them. */
function conditionsOf({ methods, hosts, paths, headers, queries, sourceIps }: MatchConfig): MatchConfig[] {
  const lists: readonly Partial<MatchConfig>[] = [
    { methods },
    { hosts },
    { paths },
    ...headers.map((field) => ({ headers: [field] })),
    ...queries.map((field) => ({ queries: [field] })),
    { sourceIps },
  ];
  return lists.map((list) => ({ ...NO_CONDITIONS, ...list }));
}
