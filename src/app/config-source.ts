/**
 * Where a controller's config comes from, and word of its changes.
 */
import { type FSWatcher, watch } from "node:fs";
import { basename, dirname } from "node:path";
import type { Cancel, Scheduler } from "../base/index.ts";
import { type Config, formatProblem } from "../config/index.ts";
import { loadConfig } from "../config/io/index.ts";

/** Editors write a file in several steps; the last one counts. */
const SETTLE_MS = 200;

/** A config, or what is wrong with the file, a line each. */
export type ConfigReading =
  | { readonly kind: "ok"; readonly config: Config }
  | { readonly kind: "problems"; readonly problems: readonly string[] };

export interface ConfigSource {
  readonly path: string | null;
  read(): Promise<ConfigReading>;
  /** Calls `changed` some time after the file has changed; returns what ends that. */
  watch(changed: () => void): Cancel;
}

/** The config of a file, or a fixed one when there is no file. */
export function configSource(path: string | undefined, fixed: Config, scheduler: Scheduler): ConfigSource {
  if (path === undefined) {
    return { path: null, read: async () => ({ kind: "ok", config: fixed }), watch: () => () => {} };
  }
  return { path, read: () => readFile(path), watch: (changed) => watchFile(path, scheduler, changed) };
}

async function readFile(path: string): Promise<ConfigReading> {
  const outcome = await loadConfig(path);
  if (outcome.kind === "ok") return servedOrProblem(outcome.config);
  return { kind: "problems", problems: outcome.problems.map(formatProblem) };
}

/** What is left when all but steering is taken out of a file: most likely a mistake, and it would stop everything. */
function servedOrProblem(config: Config): ConfigReading {
  const { listeners, services, stores, databases } = config;
  if (listeners.length + services.length + stores.length + databases.length > 0)
    return { kind: "ok", config };
  const what = "config: has neither listeners nor services; write them again, or `tenfold down`";
  return { kind: "problems", problems: [what] };
}

function watchFile(path: string, scheduler: Scheduler, changed: () => void): Cancel {
  let pending: Cancel = () => {};
  const name = basename(path);
  const watcher: FSWatcher = watch(dirname(path), (_, file) => {
    if (file !== name) return;
    pending();
    pending = scheduler.after(SETTLE_MS, changed);
  });
  return () => {
    pending();
    watcher.close();
  };
}
