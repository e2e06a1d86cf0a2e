/**
 * A controller in the foreground: its events as calm lines, its signals, its end.
 *
 * The session talks to its own controller through the admin API, as every other command does; so what a person sees
 * here is what they would see from another terminal.
 */
import type { ControllerHandle, ControllerOptions, EventRecord } from "../app/index.ts";
import { type AdminClient, adminClient } from "./admin-client.ts";
import { type Context, pause } from "./context.ts";
import { eventFeed, eventLine } from "./events.ts";
import { Failure } from "./failure.ts";
import { readinessOf } from "./readiness.ts";
import { plural } from "./render/figures.ts";
import { renderReload } from "./render/reload.ts";
import { renderWelcome } from "./render/welcome.ts";

/** What the commands that stay in the foreground differ in. */
export interface SessionOptions {
  readonly controller: ControllerOptions;
  /** Lines below the URLs. */
  readonly hints: readonly string[];
  /** Called at every look, for what else is to be shown. */
  readonly eachLook?: () => void;
}

/** A person sees a step when it happens. */
const LOOK_MS = 200;

/** A launcher may pass on a Ctrl-C that the terminal has sent us already; a person takes longer to press again. */
const SECOND_PRESS_MS = 300;

/** Starts a controller, shows what it does, and resolves to its exit code when it has ended. */
export async function runSession(context: Context, options: SessionOptions): Promise<number> {
  const handle = await context.start(options.controller);
  const client = adminClient(options.controller.stateDirectory);
  const unlisten = listen(context, handle, client);
  const feed = eventFeed(client, 0);
  let welcomed = false;
  for (let isOver = false; !isOver; ) {
    await lookAt(context, feed).catch(ignoreAway);
    options.eachLook?.();
    welcomed ||= await welcome(context, client, options.hints).catch(ignoreAway);
    isOver = await Promise.race([handle.done.then(() => true), pause(context, LOOK_MS).then(() => false)]);
  }
  options.eachLook?.();
  for (const off of unlisten) off();
  return handle.done;
}

async function lookAt({ terminal }: Context, feed: () => Promise<readonly EventRecord[]>): Promise<boolean> {
  for (const event of await feed()) terminal.out(eventLine(event, terminal.style));
  return true;
}

/** Says once that everything is there. */
async function welcome(
  { terminal }: Context,
  client: AdminClient,
  hints: readonly string[],
): Promise<boolean> {
  const status = await client.status();
  if (readinessOf(status).kind !== "ready") return false;
  for (const line of renderWelcome(status, hints, terminal.style)) terminal.out(line);
  return true;
}

/** The controller ends before its session does: the last looks find nobody. */
function ignoreAway(problem: unknown): false {
  if (problem instanceof Failure) return false;
  throw problem;
}

/** Signal -> what it does. */
function listen(context: Context, handle: ControllerHandle, client: AdminClient): (() => void)[] {
  const { onSignal } = context;
  const stop = stopper(context, handle, client);
  return [
    onSignal("SIGINT", stop),
    onSignal("SIGTERM", stop),
    onSignal("SIGUSR2", () => void handle.detach()),
    onSignal("SIGHUP", () => void reload(context, handle)),
  ];
}

/** The first time all is stopped in good order, the second time it is killed. */
function stopper({ terminal, clock }: Context, handle: ControllerHandle, client: AdminClient): () => void {
  let askedMs: number | undefined;
  return () => {
    const sinceMs = clock.nowMs() - (askedMs ?? clock.nowMs());
    if (sinceMs >= SECOND_PRESS_MS)
      return void killAll(client, (line) => terminal.err(line)).catch(ignoreAway);
    if (askedMs !== undefined) return;
    askedMs = clock.nowMs();
    terminal.err("stopping: requests in flight finish first (once more: kill everything)");
    handle.stopAll().then(
      () => terminal.err("everything is stopped"),
      (problem: unknown) => terminal.err(`stopping failed: ${String(problem)}`),
    );
  };
}

async function reload({ terminal }: Context, handle: ControllerHandle): Promise<void> {
  try {
    for (const line of renderReload(await handle.reload(), terminal.style)) terminal.out(line);
  } catch (problem) {
    terminal.err(`reload failed: ${problem instanceof Error ? problem.message : String(problem)}`);
  }
}

/** Ends tasks and workers at once; the controller, which is stopping, starts none of them anew. */
async function killAll(client: AdminClient, say: (line: string) => void): Promise<void> {
  const { services, gateway } = await client.status();
  const tasks = services.flatMap((service) => service.tasks.map(({ pid }) => pid));
  const pids = [...tasks, ...gateway.workers.map(({ pid }) => pid)].filter((pid) => pid !== null && pid > 1);
  say(`killing ${plural(pids.length, "process", "processes")}`);
  for (const pid of pids) killTree(pid);
}

/** Each task and worker leads its own process group. */
function killTree(pid: number | null): void {
  try {
    if (pid !== null) process.kill(-pid, "SIGKILL");
  } catch {
    // Gone already, which is what was wanted.
  }
}
