/** Builders for tests: statuses, a controller that is only an API, a context that keeps what is printed. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type {
  CacheStatus,
  EventRecord,
  GroupStatus,
  ReloadResult,
  ScaleExplanation,
  ServiceStatus,
  Status,
  TargetStatus,
  TaskStatus,
  TrafficTotals,
} from "../app/index.ts";
import { systemClock, systemScheduler } from "../base/index.ts";
import { COMMANDS } from "./commands.ts";
import type { Context } from "./context.ts";
import { dispatch } from "./dispatch.ts";
import { PLAIN } from "./style.ts";

/** 2026-01-01 00:00:00 UTC, and the time of day that a reader here sees then. */
export const EPOCH = "2026-01-01T00:00:00.000Z";

/** Milliseconds of `EPOCH` and some seconds more. */
export function wallMs(seconds = 0): number {
  return Date.parse(EPOCH) + seconds * 1000;
}

export function trafficTotals(over: Partial<TrafficTotals> = {}): TrafficTotals {
  return {
    requests: 0,
    inFlight: 0,
    retries: 0,
    bytesIn: 0,
    bytesOut: 0,
    statuses: [0, 0, 0, 0, 0],
    errors: {},
    latency: { p50Ms: null, p99Ms: null },
    rps: 0,
    ...over,
  };
}

export function targetStatus(over: Partial<TargetStatus> = {}): TargetStatus {
  return {
    id: "127.0.0.1:20001",
    weight: 1,
    state: "active",
    health: "healthy",
    ejected: false,
    inFlight: 0,
    requests: 0,
    failures: 0,
    status5xx: 0,
    rps: 0,
    ...over,
  };
}

export function groupStatus(over: Partial<GroupStatus> = {}): GroupStatus {
  return { ...trafficTotals(), name: "web", algorithm: "round-robin", panic: false, targets: [], ...over };
}

export function taskStatus(over: Partial<TaskStatus> = {}): TaskStatus {
  return {
    id: "web/1",
    state: "healthy",
    pid: 4712,
    port: 20001,
    revision: "1-abc",
    since: EPOCH,
    restarts: 0,
    reason: "",
    log: "",
    cpu: null,
    inFlight: 0,
    ...over,
  };
}

export function serviceStatus(over: Partial<ServiceStatus> = {}): ServiceStatus {
  return {
    name: "web",
    wanted: 1,
    running: 1,
    healthy: 1,
    revision: "1-abc",
    state: "steady",
    message: "",
    autoscale: null,
    tasks: [],
    deploy: null,
    ...over,
  };
}

export function cacheStatus(over: Partial<CacheStatus> = {}): CacheStatus {
  return {
    hitRatio: null,
    hitRatioInAll: null,
    requests: [],
    refused: {},
    evicted: {},
    purged: {},
    servedBytes: 0,
    fetchedBytes: 0,
    stored: 0,
    entries: 0,
    liveBytes: 0,
    capacityBytes: 120 * 2 ** 20,
    disk: null,
    ...over,
  };
}

interface StatusParts {
  readonly services?: readonly ServiceStatus[];
  readonly groups?: readonly GroupStatus[];
  readonly noGroup?: TrafficTotals;
  readonly cache?: CacheStatus;
  readonly workers?: Status["gateway"]["workers"];
  readonly pid?: number;
  readonly problem?: string;
}

/** One listener, one worker; services and groups as given. */
export function statusOf(parts: StatusParts = {}): Status {
  return {
    version: "0.1.0",
    controller: {
      pid: parts.pid ?? 4711,
      since: EPOCH,
      state: "running",
      configPath: "/srv/shop/tenfold.config.ts",
      stateDirectory: "/srv/shop/.tenfold",
      revision: 7,
      problem: parts.problem ?? null,
    },
    gateway: {
      workers: parts.workers ?? [{ index: 0, pid: 4713, state: "serving", revision: 7, connections: 3 }],
      listeners: [
        {
          name: "web",
          url: "http://127.0.0.1:8080",
          rules: [{ name: "web/0", match: "everything", action: "web" }],
        },
      ],
      groups: parts.groups ?? [],
      noGroup: parts.noGroup ?? trafficTotals(),
      cache: parts.cache ?? null,
    },
    services: parts.services ?? [],
  };
}

export function eventOf(number: number, subject: string, message: string): EventRecord {
  return { number, at: EPOCH, subject, event: "event", message };
}

/** A folder that is gone after the test. */
export function scratchFolder(): Disposable & { readonly path: string } {
  const path = mkdtempSync(join(tmpdir(), "tenfold-cli-"));
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) };
}

/** What the API of a test answers; each may change while it runs. */
export interface Answers {
  status: () => Status;
  events: EventRecord[];
  scale: (tasks: number) => ServiceStatus | Response;
  deploy: () => unknown;
  explanation: ScaleExplanation | undefined;
  reload: ReloadResult;
}

export interface FakeController extends Disposable {
  /** The folder that holds `.tenfold`. */
  readonly folder: string;
  readonly state: string;
  readonly answers: Answers;
  /** "POST /v1/down {}", oldest first. */
  readonly requests: string[];
}

/** A real HTTP server that speaks the admin API with canned answers, and the files that lead to it. */
export function fakeController(over: Partial<Answers> = {}): FakeController {
  const scratch = scratchFolder();
  const state = join(scratch.path, ".tenfold");
  const requests: string[] = [];
  const answers: Answers = {
    status: () => statusOf(),
    events: [],
    scale: (tasks) => serviceStatus({ wanted: tasks }),
    deploy: () => ({}),
    explanation: undefined,
    reload: { revision: 8, changes: [], problems: [] },
    ...over,
  };
  const server = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    async fetch(request) {
      const { pathname, search } = new URL(request.url);
      const body = await request.text();
      requests.push(`${request.method} ${pathname}${search} ${body}`.trim());
      if (request.headers.get("authorization") !== "Bearer secret") return apiError(401, "unauthorised");
      const answer = answerTo(answers, pathname, new URLSearchParams(search), body);
      return answer instanceof Response ? answer : Response.json(answer);
    },
  });
  mkdirSync(join(state, "logs"), { recursive: true });
  const file = {
    pid: process.pid,
    admin: `127.0.0.1:${server.port}`,
    version: "0.1.0",
    configPath: "/srv/x.yaml",
  };
  writeFileSync(join(state, "controller.json"), JSON.stringify(file));
  writeFileSync(join(state, "admin.token"), "secret\n");
  return {
    folder: scratch.path,
    state,
    answers,
    requests,
    [Symbol.dispose]() {
      void server.stop(true);
      scratch[Symbol.dispose]();
    },
  };
}

/** An error as the API gives it. */
function apiError(status: number, code: string): Response {
  return Response.json({ error: { code, message: `it is ${code}`, mend: "mend it" } }, { status });
}

function answerTo(answers: Answers, path: string, search: URLSearchParams, body: string): unknown {
  if (path === "/v1/status") return answers.status();
  if (path === "/v1/events")
    return answers.events.filter(({ number }) => number > Number(search.get("after")));
  if (path === "/v1/reload") return answers.reload;
  if (path === "/v1/down") return { stopping: true };
  if (path.endsWith("/deploy")) return answers.deploy();
  if (path.endsWith("/drain")) return targetStatus({ state: "draining" });
  if (path !== "/v1/services/web/scale") return apiError(404, "unknown-service");
  if (body !== "") return answers.scale((JSON.parse(body) as { tasks: number }).tasks);
  return answers.explanation ?? apiError(404, "unknown-service");
}

/** What a command printed, and how it ended. */
export interface Outcome {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** Runs `tenfold …words` in this process, in `cwd`. */
export async function tenfold(words: readonly string[], over: Partial<Context> = {}): Promise<Outcome> {
  const { context, out, err } = contextFor(over);
  const code = await dispatch(words, COMMANDS, context);
  return { code, out: out.join("\n"), err: err.join("\n") };
}

/** A context that writes into lists, whose clock is the system's and whose `start` refuses. */
function contextFor(over: Partial<Context> = {}): { context: Context; out: string[]; err: string[] } {
  const out: string[] = [];
  const err: string[] = [];
  const terminal = {
    out: (line: string) => void out.push(line),
    err: (line: string) => void err.push(line),
    raw: (text: string) => void out.push(text),
    style: PLAIN,
    interactive: false,
    size: () => ({ columns: 120, rows: 40 }),
  };
  const context: Context = {
    terminal,
    clock: systemClock,
    scheduler: systemScheduler,
    cwd: "/",
    env: {},
    version: "0.1.0",
    onSignal: () => () => {},
    onKey: () => () => {},
    start: () => Promise.reject(new Error("this test starts no controller")),
    ...over,
  };
  return { context, out, err };
}

/** A clock on which each look is `stepMs` after the one before. */
export function hastyClock(stepMs: number): Context["clock"] {
  let nowMs = 0;
  return { nowMs: () => (nowMs += stepMs), wallMs: () => wallMs() };
}
