/** Builders for the tests of this part: small good configs, and what is wrong with bad ones. */
import { buildSnapshot, type SnapshotParts, type TaskTarget } from "./build-snapshot.ts";
import type { Address, Config } from "./config.ts";
import { parseConfig } from "./parse-config.ts";
import { formatProblem } from "./problem.ts";
import type { Snapshot } from "./snapshot.ts";
import type { UserConfig, UserListener, UserMatch, UserRule, UserService } from "./user-config.ts";

/** Where the configs of the tests are said to lie. */
const SURROUNDINGS = { folder: "/srv/app", cores: 4 };

/** The problems of a config, as lines. Empty when it is good. */
export function lines(input: unknown): readonly string[] {
  const outcome = parseConfig(input, SURROUNDINGS);
  return outcome.kind === "ok" ? [] : outcome.problems.map(formatProblem);
}

/** The config, which must be good. */
export function good(input: UserConfig): Config {
  const outcome = parseConfig(input, SURROUNDINGS);
  if (outcome.kind === "ok") return outcome.config;
  throw new Error(outcome.problems.map(formatProblem).join("\n"));
}

/** A good config with one listener and one service, both called web, overlaid with `changes`. */
export function config(changes: object = {}): UserConfig {
  return { listeners: { web: listener() }, services: { web: service() }, ...changes };
}

/** A listener that forwards everything to web. */
export function listener(changes: object = {}): UserListener {
  return { address: "127.0.0.1:8080", rules: [{ forward: "web" }], ...changes };
}

/** A config whose listener web has these rules. */
export function rules(...list: readonly unknown[]): UserConfig {
  return config({ listeners: { web: listener({ rules: list as readonly UserRule[] }) } });
}

/** A config with one rule that has this match. */
export function matching(match: unknown): UserConfig {
  return rules({ match: match as UserMatch, forward: "web" });
}

/** A config whose service web has these settings. */
export function serving(changes: object): UserConfig {
  return config({ services: { web: service(changes) } });
}

/** A config with the target group far, overlaid with `changes`. */
export function grouped(changes: object): UserConfig {
  return config({ targetGroups: { far: { targets: ["127.0.0.1:9001"], ...changes } } });
}

/** A live task of `service` at a port on loopback. */
export function task(port: number, changes: Partial<TaskTarget> = {}): TaskTarget {
  return { service: "web", address: local(port), state: "active", ...changes };
}

/** The snapshot of these parts, which must be accepted. */
export function snapshot(parts: Partial<SnapshotParts> = {}): Snapshot {
  const revision = (parts.previous?.revision ?? 0) + 1;
  const outcome = buildSnapshot({ config: good(config()), tasks: [], revision, ...parts });
  if (outcome.kind === "ok") return outcome.snapshot;
  throw new Error(outcome.message);
}

/** An address on loopback. */
function local(port: number): Address {
  return { host: "127.0.0.1", port };
}

function service(changes: object = {}): UserService {
  return { command: ["node", "server.js"], ...changes };
}
