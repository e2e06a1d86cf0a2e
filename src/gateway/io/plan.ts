/**
 * A rule with all that an exchange needs to follow it: its conditions compiled, its timeouts merged with the
 * gateway's, its groups looked up. Made once per snapshot, so that a request looks nothing up.
 */
import type { ActionConfig, GatewayConfig, RuleConfig, TimeoutsConfig } from "../../config/index.ts";
import { urlKey } from "../../edge/index.ts";
import { asBytes, text } from "../../http/index.ts";
import { hashUrlKey } from "../hash-key.ts";
import { compileRoutes, type RequestView, type Route } from "../route.ts";
import { NO_GROUP } from "../scoreboard.ts";
import { type RuleCache, ruleCache } from "./cache/rule-cache.ts";
import type { Pool } from "./pool.ts";
import type { UpstreamGroup } from "./upstream-group.ts";

export class Plan implements Route {
  readonly rule: RuleConfig;
  readonly conditions: Route["conditions"];
  readonly action: ActionConfig;
  readonly timeouts: TimeoutsConfig;
  /** 0 = no bound. */
  readonly bodyBytesMax: number;
  /** Absent: nothing is kept. */
  readonly cache: RuleCache | undefined;
  readonly #fixedHost: Uint8Array | undefined;
  readonly #groups: readonly { readonly group: UpstreamGroup; readonly weight: number }[];
  readonly #weightSum: number;

  constructor(route: Route, gateway: GatewayConfig, groups: ReadonlyMap<string, UpstreamGroup>) {
    this.rule = route.rule;
    this.conditions = route.conditions;
    this.action = route.rule.action;
    this.timeouts = { ...gateway.timeouts, ...route.rule.timeouts };
    this.bodyBytesMax = route.rule.bodyBytesMax ?? gateway.limits.bodyBytesMax;
    this.cache = route.rule.cache === undefined ? undefined : ruleCache(route.rule.cache, gateway);
    this.#fixedHost = route.rule.host.kind === "fixed" ? asBytes(route.rule.host.host) : undefined;
    this.#groups = forwardGroups(route.rule.action, groups);
    this.#weightSum = this.#groups.reduce((sum, { weight }) => sum + weight, 0);
  }

  /** Host to send to `pool`'s target in place of the client's, or undefined to keep that. */
  hostFor(pool: Pool): Uint8Array | undefined {
    return this.rule.host.kind === "target" ? pool.authority : this.#fixedHost;
  }

  /** Row of the rule's first group, which what is answered from the cache is counted for. */
  get row(): number {
    return this.#groups[0]?.group.row ?? NO_GROUP;
  }

  /** Whether no target of any group, nor of its fallback, can be expected to answer. */
  get isDown(): boolean {
    return this.#groups.every(({ group }) => group.isLost);
  }

  /** Hash of a request's key for a group of the rule: of a URL what the rule's cache counts, so that what it keeps has one home. */
  hash(group: UpstreamGroup, view: RequestView): number {
    if (this.cache === undefined || !group.hashesUrl) return group.keyHash(view);
    const { head, bytes } = view;
    const host = text(bytes, head.hostStart, head.authorityEnd);
    return hashUrlKey(urlKey(this.cache.key, { host, target: text(bytes, head.pathStart, head.targetEnd) }));
  }

  /** The group for one request: the only one, or one drawn by weight. */
  chooseGroup(random: () => number): UpstreamGroup | undefined {
    if (this.#groups.length === 1) return this.#groups[0]?.group;
    let left = random() * this.#weightSum;
    for (const { group, weight } of this.#groups) {
      left -= weight;
      if (left < 0) return group;
    }
    return undefined;
  }
}

/** Compiles a listener's rules, in order. */
export function compilePlans(
  rules: readonly RuleConfig[],
  gateway: GatewayConfig,
  groups: ReadonlyMap<string, UpstreamGroup>,
): Plan[] {
  return compileRoutes(rules).map((route) => new Plan(route, gateway, groups));
}

function forwardGroups(
  action: ActionConfig,
  groups: ReadonlyMap<string, UpstreamGroup>,
): { group: UpstreamGroup; weight: number }[] {
  if (action.kind !== "forward") return [];
  return action.groups.flatMap(({ group: name, weight }) => {
    const group = groups.get(name);
    return group === undefined || weight === 0 ? [] : [{ group, weight }];
  });
}
