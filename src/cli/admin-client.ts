/**
 * The admin API as functions. Each call finds the controller anew, so that a command outlives a controller's restart.
 *
 * What goes wrong is a `Failure` with its mend: `ControllerAway` when nobody answers, `Refused` when the controller
 * says no.
 */
import type {
  ApiError,
  CacheTrafficReport,
  CacheUsageReport,
  DeployStatus,
  EventRecord,
  PurgeOrder,
  PurgeResult,
  ReloadResult,
  ScaleExplanation,
  ServiceStatus,
  Status,
  TargetStatus,
} from "../app/index.ts";
import { ControllerAway, Failure, Refused } from "./failure.ts";
import { readControllerFile, readToken } from "./state-directory.ts";

/** The calls of the admin API. */
export interface AdminClient {
  readonly stateDirectory: string;
  status(): Promise<Status>;
  /** Events with a number above `after`, oldest first. */
  events(after: number): Promise<readonly EventRecord[]>;
  explainScale(service: string): Promise<ScaleExplanation>;
  scale(service: string, tasks: number): Promise<ServiceStatus>;
  deploy(service: string): Promise<DeployStatus>;
  /** Takes a target out; with `undo`, back in. */
  drain(group: string, target: string, undo: boolean): Promise<TargetStatus>;
  /** At most 100 things, or everything; waits so long for the other installations of the site. */
  purge(order: PurgeOrder, waitMs: number): Promise<PurgeResult>;
  /** What the rules with a cache did since the controller began; null without such a rule. */
  cacheTraffic(): Promise<CacheTrafficReport | null>;
  /** What stored responses are used for; judged from an age of so many seconds on. A look at each of them. */
  cacheUsage(settleS: number): Promise<CacheUsageReport | null>;
  reload(): Promise<ReloadResult>;
  down(): Promise<{ readonly stopping: true }>;
}

/** The controller answers from memory; a machine that takes longer than this has another problem. */
const TIMEOUT_MS = 10_000;

/** A client of the controller of this state directory. Opens nothing until it is called. */
export function adminClient(stateDirectory: string): AdminClient {
  const get = <T>(path: string): Promise<T> => call<T>(stateDirectory, { method: "GET", path });
  const post = <T>(path: string, body: unknown = {}, waitMs = 0): Promise<T> =>
    call<T>(stateDirectory, { method: "POST", path, body, waitMs });
  return {
    stateDirectory,
    status: () => get("/v1/status"),
    events: (after) => get(`/v1/events?after=${after}`),
    explainScale: (service) => get(`/v1/services/${encodeURIComponent(service)}/scale`),
    scale: (service, tasks) => post(`/v1/services/${encodeURIComponent(service)}/scale`, { tasks }),
    deploy: (service) => post(`/v1/services/${encodeURIComponent(service)}/deploy`),
    drain: (group, target, undo) =>
      post(`/v1/targets/${encodeURIComponent(group)}/${encodeURIComponent(target)}/drain`, { undo }),
    purge: (order, waitMs) => post(`/v1/cache/purge?wait=${waitMs}`, order, waitMs),
    cacheTraffic: () => get("/v1/cache/traffic"),
    cacheUsage: (settleS) => get(`/v1/cache/report?settle=${Math.floor(settleS)}`),
    reload: () => post("/v1/reload"),
    down: () => post("/v1/down"),
  };
}

interface Call {
  readonly method: string;
  readonly path: string;
  readonly body?: unknown;
  /** How long the controller may wait for others before it answers. */
  readonly waitMs?: number;
}

async function call<T>(directory: string, what: Call): Promise<T> {
  const response = await send(directory, what);
  const text = await response.text();
  const value = parsed(text);
  if (response.ok && value !== undefined) return value as T;
  throw refusal(response, value);
}

async function send(directory: string, { method, path, body, waitMs = 0 }: Call): Promise<Response> {
  const controller = readControllerFile(directory);
  if (controller === undefined) throw away(directory);
  const token = readToken(directory);
  if (token === undefined)
    throw new Failure(
      `${directory}/admin.token cannot be read`,
      "run this as the user who started the controller",
    );
  try {
    return await fetch(`http://${controller.admin}${path}`, {
      method,
      headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
      signal: AbortSignal.timeout(TIMEOUT_MS + waitMs),
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
  } catch (problem) {
    throw isTimeout(problem) ? silent(controller.pid) : away(directory);
  }
}

function away(directory: string): ControllerAway {
  const controller = readControllerFile(directory);
  if (controller === undefined)
    return new ControllerAway("nothing runs here", "start with `tenfold up` or `tenfold run`");
  const file = controller.configPath ? `-c ${controller.configPath}` : "-c FILE";
  return new ControllerAway(
    "the controller is not running (gateway and tasks may be)",
    `start it with \`tenfold up ${file}\`, or stop the rest with \`tenfold down\``,
  );
}

function silent(pid: number): ControllerAway {
  const mend = `see whether the machine is overloaded, or end it with \`kill -9 ${pid}\` and start it again`;
  return new ControllerAway(
    `the controller (pid ${pid}) does not answer within ${TIMEOUT_MS / 1000} s`,
    mend,
  );
}

function isTimeout(problem: unknown): boolean {
  return problem instanceof Error && problem.name === "TimeoutError";
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function refusal(response: Response, value: unknown): Failure {
  const { error } = (value ?? {}) as Partial<ApiError>;
  if (error !== undefined) return new Refused(error.code, error.message, error.mend);
  const what = `${response.url} answers ${response.status} and is no Tenfold controller`;
  return new Failure(what, "another program took the admin port: set admin.address in the config");
}
