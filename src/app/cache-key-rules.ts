/**
 * By which key rules the responses of a URL may be stored: those of the rules that could be the first to match it.
 *
 * Only host and path of the requests are known, so a rule with other conditions may or may not have matched, and the
 * rules after it count as well. Where none fits, all count.
 */
import type { ListenerConfig, RuleConfig, Snapshot } from "../config/index.ts";
import type { CacheKeyRule, TargetUrl } from "../edge/index.ts";
import { compileRoutes, findRoute, type RequestView, type Route } from "../gateway/index.ts";
import { keyRule } from "../gateway/io/index.ts";
import { asBytes, RequestHead } from "../http/index.ts";

/** A rule, and the part of its match that host and path decide. */
interface Candidate {
  readonly name: string;
  readonly route: Route;
  readonly key: CacheKeyRule | undefined;
  /** Whether host and path decide all of it. */
  readonly isSure: boolean;
}

/** The key rules of a snapshot, by URL. */
export type KeyRules = (url: TargetUrl) => readonly CacheKeyRule[];

/** Compiles the rules of a snapshot. The answer is O(rules) for each URL. */
export function keyRulesOf(snapshot: Pick<Snapshot, "listeners">): KeyRules {
  const candidates = candidatesFor(snapshot);
  const all = distinct(candidates());
  return (url) => {
    const found = distinct(candidates(url));
    return found.length > 0 ? found : all;
  };
}

/** The names of the rules that may keep the responses of a URL, of one listener after the other. O(rules). */
export function keepersOf(snapshot: Pick<Snapshot, "listeners">): (url: TargetUrl) => readonly string[] {
  const candidates = candidatesFor(snapshot);
  return (url) => candidates(url).flatMap(({ name, key }) => (key === undefined ? [] : name));
}

/** The rules that could be the first to match a URL, per listener; all of them for a URL that no request can have. */
function candidatesFor({
  listeners,
}: Pick<Snapshot, "listeners">): (url?: TargetUrl) => readonly Candidate[] {
  const tables = listeners.map(candidatesOf);
  const head = new RequestHead();
  return (url) => {
    if (url === undefined) return tables.flat();
    const bytes = asBytes(`GET ${url.target} HTTP/1.1\r\nhost: ${url.host}\r\n\r\n`);
    if (head.parse(bytes, 0, bytes.length) <= 0) return tables.flat();
    return tables.flatMap((table) => fitting(table, { head, bytes, clientIp: "" }));
  };
}

/** Whether any rule keeps responses. */
export function hasCache({ listeners }: Pick<Snapshot, "listeners">): boolean {
  return listeners.some(({ rules }) => rules.some(({ cache }) => cache !== undefined));
}

function candidatesOf({ rules }: ListenerConfig): readonly Candidate[] {
  return rules.flatMap((rule) => {
    const { hosts, paths, methods, headers, queries, sourceIps } = rule.match;
    const match = { hosts, paths, methods: [], headers: [], queries: [], sourceIps: [] };
    const [route] = compileRoutes([{ ...rule, match }]);
    if (route === undefined) return [];
    const others = [methods, headers, queries, sourceIps];
    return [{ name: rule.name, route, key: keyOf(rule), isSure: others.every(({ length }) => length === 0) }];
  });
}

function keyOf({ cache }: RuleConfig): CacheKeyRule | undefined {
  return cache === undefined ? undefined : keyRule(cache.key);
}

function fitting(table: readonly Candidate[], view: RequestView): readonly Candidate[] {
  const fits = table.filter(({ route }) => findRoute([route], view) !== undefined);
  const sure = fits.findIndex(({ isSure }) => isSure);
  return sure < 0 ? fits : fits.slice(0, sure + 1);
}

/** Each choice of the query once: nothing else of a key rule counts in the hash of a URL. */
function distinct(candidates: readonly (Candidate | CacheKeyRule)[]): readonly CacheKeyRule[] {
  const rules = candidates.flatMap((each) => ("route" in each ? (each.key ?? []) : each));
  return [...new Map(rules.map((rule) => [JSON.stringify([rule.query, rule.sortQuery]), rule])).values()];
}
