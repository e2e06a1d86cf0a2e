/**
 * Putting a controller behind: `tenfold up` once more, in a session of its own, its output in a file.
 *
 * Whoever asked waits until everything is healthy, or learns why it is not. Either way the controller stays and goes
 * on trying; only when it ended by itself is there nothing left behind.
 */
import { closeSync, mkdirSync, openSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { stateFailure } from "../app/index.ts";
import { type AdminClient, adminClient } from "./admin-client.ts";
import { type Context, pause } from "./context.ts";
import { asFailure } from "./controller.ts";
import { type EventFeed, eventFeed, eventLine } from "./events.ts";
import { ControllerAway, EXIT, Failure } from "./failure.ts";
import { patience } from "./patience.ts";
import { type Readiness, readinessOf } from "./readiness.ts";
import { renderWelcome } from "./render/welcome.ts";
import { readControllerFile } from "./state-directory.ts";

/** What is put behind. */
export interface Detached {
  readonly configPath: string;
  readonly stateDirectory: string;
}

const LOOK_MS = 200;

/** How a command begins the line that says why it failed. */
const FAILURE_MARK = "tenfold: ";

/** What the controller would print on a terminal; its log proper is `controller.log` beside it. */
const OUTPUT = "up.log";

const MAIN = fileURLToPath(new URL("main.ts", import.meta.url));

/** Starts the controller and waits for its services. Resolves to the exit code. */
export async function detach(context: Context, what: Detached): Promise<number> {
  const { stateDirectory } = what;
  const log = join(stateDirectory, "logs", OUTPUT);
  const child = spawnBehind(what, log, context.cwd);
  const client = adminClient(stateDirectory);
  await untilItAnswers(context, client, child, log);
  const readiness = await untilReady(context, client);
  if (readiness.kind === "failing") {
    context.terminal.err("the controller goes on trying: `tenfold status` shows it, `tenfold down` stops it");
    throw new Failure(readiness.reason, "");
  }
  const hints = [
    `follow with \`tenfold top\` or \`tenfold logs SERVICE -f\`; stop with \`tenfold down\``,
    `log: ${log}`,
  ];
  for (const line of renderWelcome(await client.status(), hints, context.terminal.style))
    context.terminal.out(line);
  return EXIT.ok;
}

interface Child {
  readonly pid: number;
  readonly exitCode: number | null;
  /** Bytes that were in the log before it. */
  readonly logStart: number;
}

function spawnBehind({ configPath, stateDirectory }: Detached, log: string, cwd: string): Child {
  const output = openOutput(stateDirectory, log);
  try {
    const logStart = readFileSync(log).length;
    const child = Bun.spawn([process.execPath, MAIN, "up", "-c", configPath, "--state", stateDirectory], {
      cwd,
      env: { ...process.env, NO_COLOR: "1" },
      stdio: ["ignore", output, output],
      detached: true,
    });
    child.unref();
    return {
      pid: child.pid,
      get exitCode() {
        return child.exitCode;
      },
      logStart,
    };
  } finally {
    closeSync(output);
  }
}

function openOutput(stateDirectory: string, log: string): number {
  try {
    mkdirSync(join(stateDirectory, "logs"), { recursive: true, mode: 0o700 });
    return openSync(log, "a", 0o640);
  } catch (problem) {
    throw asFailure(stateFailure(stateDirectory, problem));
  }
}

/** Until the controller file names the child; another controller's may lie there from before. */
async function untilItAnswers(
  context: Context,
  client: AdminClient,
  child: Child,
  log: string,
): Promise<void> {
  for (;;) {
    if (child.exitCode !== null) throw endedAtOnce(child, log);
    const isIts = readControllerFile(client.stateDirectory)?.pid === child.pid;
    if (isIts && (await answers(client))) return;
    await pause(context, LOOK_MS);
  }
}

async function answers(client: AdminClient): Promise<boolean> {
  try {
    await client.status();
    return true;
  } catch (problem) {
    if (problem instanceof ControllerAway) return false;
    throw problem;
  }
}

async function untilReady(context: Context, client: AdminClient): Promise<Readiness> {
  const { clock, terminal } = context;
  const feed: EventFeed = eventFeed(client, 0);
  const givesUp = patience(clock);
  for (;;) {
    const readiness = readinessOf(await client.status());
    for (const event of await feed()) terminal.out(eventLine(event, terminal.style));
    if (readiness.kind === "ready") return readiness;
    if (givesUp(readiness.kind === "failing")) return readiness;
    await pause(context, LOOK_MS);
  }
}

/** What it said of its own end goes on as ours. */
function endedAtOnce({ logStart, exitCode }: Child, log: string): Failure {
  const lines = readFileSync(log).subarray(logStart).toString().trim().split("\n");
  const reason = lines.findLast((line) => line.startsWith(FAILURE_MARK));
  if (reason !== undefined) return new Failure(reason.slice(FAILURE_MARK.length), "");
  return new Failure(`the controller ended with exit code ${exitCode}`, `see ${log}`);
}
