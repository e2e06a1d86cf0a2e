/**
 * Revisions: which version of a service a task runs.
 *
 * A revision is named by its deploy number and a hash of what a process is made from: command, folder, environment,
 * limits. Everything else in a service's config (health, timeouts, percentages, autoscaling) applies live.
 */
import { murmur3String } from "../base/index.ts";
import type { ServiceConfig, TaskLimitsConfig } from "../config/index.ts";

/** What a process is made from. */
export interface TaskTemplate {
  readonly command: readonly string[];
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  readonly limits: TaskLimitsConfig;
  /** See `ServiceConfig`. */
  readonly outlived?: true;
}

/** The part of a service that a new revision is made of. */
export function templateOf({ command, cwd, env, limits, outlived }: ServiceConfig): TaskTemplate {
  return { command, cwd, env, limits, ...(outlived === true ? { outlived } : {}) };
}

/** Two seeds: 64 bits, so that two templates of one service never share a hash by chance. */
const SEEDS = [0x74656e, 0x666f6c64] as const;

/** Hash of a template, 16 hex digits; the order of keys does not matter. */
export function templateHash(template: TaskTemplate): string {
  const text = canonical(template);
  return SEEDS.map((seed) => murmur3String(text, seed).toString(16).padStart(8, "0")).join("");
}

/** "r7-9f2c81aa": the seventh deploy. Shown to people, so the hash is cut to 8 digits. */
export function revisionId(deploys: number, hash: string): string {
  return `r${deploys}-${hash.slice(0, 8)}`;
}

function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(",")}]`;
  if (typeof value !== "object" || value === null) return JSON.stringify(value) ?? "null";
  const pairs = Object.entries(value).filter(([, inner]) => inner !== undefined);
  const sorted = pairs.toSorted(([a], [b]) => (a < b ? -1 : 1));
  return `{${sorted.map(([key, inner]) => `${JSON.stringify(key)}:${canonical(inner)}`).join(",")}}`;
}
