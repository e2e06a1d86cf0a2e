/** A real controller with a real worker in front of an origin that counts: what a purge does, seen by a client. */

import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { systemClock, systemScheduler } from "../../base/index.ts";
import { freePort } from "../../base/testing.ts";
import { type Config, parseConfig, type UserCacheStore, type UserRule } from "../../config/index.ts";
import type { ApiError } from "../api.ts";
import { type ControllerHandle, startController } from "../controller.ts";

/** An answer of the admin API. */
export interface ApiAnswer {
  readonly status: number;
  readonly data: unknown;
}

export interface CachedSite {
  /** "127.0.0.1:20001": the host of its URLs. */
  readonly host: string;
  readonly state: string;
  /** Asks for a path as a browser; the body of an answer is the number of times that the origin was asked for it. */
  get(path: string): Promise<{ readonly body: string; readonly cacheStatus: string }>;
  /** How often the origin was asked for a path. */
  asked(path: string): number;
  /** Makes the origin wait with its answers until what is returned is called. */
  hold(): () => void;
  /** `/metrics` of the admin API. */
  metrics(): Promise<string>;
  /** Lines of the controller's log. */
  log(): string;
  /** Calls the admin API. */
  api(method: string, path: string, body?: unknown): Promise<ApiAnswer>;
  /** Another controller takes over, with a cache of another size; the worker goes on. */
  restart(memory: string): Promise<void>;
  /** Stops controller and worker, and starts them again. */
  downAndUp(between: () => void): Promise<void>;
  stop(): Promise<void>;
}

const RULES: readonly UserRule[] = [
  { match: { path: "/plain/*" }, cache: { ttl: "1h", key: { query: "none" } }, forward: "origin" },
  { cache: { ttl: "1h" }, forward: "origin" },
];

/**
 * Starts all of it. The first segment of a path is a tag of its answer; with `?bytes=` the answer is padded with blanks.
 * What `disk` is changed to counts from the next start on.
 */
export async function startCachedSite(
  rules: readonly UserRule[] = RULES,
  storage: { disk?: UserCacheStore["disk"] } = {},
): Promise<CachedSite> {
  const state = mkdtempSync(join(tmpdir(), "tenfold-purge-"));
  const asked = new Map<string, number>();
  let held = Promise.resolve();
  const origin = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    async fetch(request) {
      const response = answer(request, asked);
      await held;
      return response;
    },
  });
  const port = freePort();
  const start = (memory: string): Promise<ControllerHandle> =>
    startController({
      config: cachedConfig(rules, { port, originPort: origin.port ?? 0, memory, ...storage }),
      stateDirectory: state,
      adminAddress: { host: "127.0.0.1", port: 0 },
    });
  let controller = await start("8MiB");
  const host = `127.0.0.1:${port}`;
  await until(() => isServing(`http://${host}/ready`));
  return {
    host,
    state,
    get: (path) => get(`http://${host}${path}`),
    asked: (path) => asked.get(path) ?? 0,
    hold() {
      const { promise, resolve } = Promise.withResolvers<void>();
      held = promise;
      return resolve;
    },
    metrics: async () =>
      (await fetch(`http://${controller.admin.host}:${controller.admin.port}/metrics`)).text(),
    log: () => readFileSync(join(state, "logs", "controller.log"), "utf8"),
    api: (method, path, body) => call(controller, state, { method, path, body }),
    async restart(memory) {
      await controller.detach();
      controller = await start(memory);
    },
    async downAndUp(between) {
      await controller.stopAll();
      between();
      controller = await start("8MiB");
      await until(() => isServing(`http://${host}/ready`));
    },
    async stop() {
      await controller.stopAll();
      await origin.stop(true);
      rmSync(state, { recursive: true, force: true });
    },
  };
}

interface Place {
  readonly port: number;
  readonly originPort: number;
  readonly memory: string;
  readonly disk: UserCacheStore["disk"];
}

/** A config with one listener and one group, `origin`. */
export function cachedConfig(
  rules: readonly UserRule[],
  { port = 1, originPort = 2, memory = "8MiB", disk }: Partial<Place> = {},
): Config {
  const user = {
    gateway: { workers: 1, cache: disk === undefined ? { memory } : { memory, disk } },
    listeners: { web: { address: `127.0.0.1:${port}`, rules } },
    targetGroups: { origin: { targets: [`127.0.0.1:${originPort}`] } },
  };
  const parsed = parseConfig(user, { folder: "/", cores: 1 });
  if (parsed.kind === "ok") return parsed.config;
  throw new Error(JSON.stringify(parsed.problems));
}

/** The error of an answer that is one. */
export function errorOf({ data }: ApiAnswer): ApiError["error"] {
  return (data as ApiError).error;
}

function answer(request: Request, asked: Map<string, number>): Response {
  const { pathname, search, searchParams } = new URL(request.url);
  const key = `${pathname}${search}`;
  asked.set(key, (asked.get(key) ?? 0) + 1);
  const [, tag = ""] = pathname.split("/");
  const body = String(asked.get(key)).padEnd(Number(searchParams.get("bytes") ?? 0));
  return new Response(body, { headers: { "cache-tag": `${tag}, all` } });
}

async function get(url: string): Promise<{ body: string; cacheStatus: string }> {
  const response = await fetch(url);
  return { body: (await response.text()).trimEnd(), cacheStatus: response.headers.get("cache-status") ?? "" };
}

interface Call {
  readonly method: string;
  readonly path: string;
  readonly body?: unknown;
}

async function call(
  { admin }: ControllerHandle,
  state: string,
  { method, path, body }: Call,
): Promise<ApiAnswer> {
  const token = readFileSync(join(state, "admin.token"), "utf8").trim();
  const response = await fetch(`http://${admin.host}:${admin.port}${path}`, {
    method,
    headers: { authorization: `Bearer ${token}` },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  return { status: response.status, data: await response.json() };
}

const DEADLINE_MS = 15_000;

/** Waits for a condition, up to a deadline. */
export async function until(holds: () => Promise<boolean>): Promise<void> {
  const deadlineMs = systemClock.nowMs() + DEADLINE_MS;
  while (!(await holds())) {
    if (systemClock.nowMs() > deadlineMs)
      throw new Error(`not so within ${DEADLINE_MS} ms: ${String(holds)}`);
    await new Promise((resolve) => void systemScheduler.after(10, () => resolve(undefined)));
  }
}

async function isServing(url: string): Promise<boolean> {
  try {
    return (await fetch(url)).ok;
  } catch {
    return false; // not yet
  }
}
