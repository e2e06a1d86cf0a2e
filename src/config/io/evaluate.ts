/**
 * Configs that are programs: run in a child process, which sends back the outcome.
 *
 * The child parses too: only there is a function still a function, so that a problem can say so. What a config
 * prints goes to our standard error; standard output belongs to the command that asked.
 */
import { basename } from "node:path";
import { fileURLToPath } from "node:url";
import { deepFreeze } from "../freeze.ts";
import type { Surroundings } from "../normalise.ts";
import type { ConfigOutcome } from "../parse-config.ts";
import type { Problem } from "../problem.ts";

/** What the child is told, as its one argument. */
export interface EvaluationOrder {
  readonly path: string;
  readonly surroundings: Surroundings;
}

const CHILD = fileURLToPath(new URL("./evaluate-child.ts", import.meta.url));

/** Runs the program at `path` and parses the config that it exports. Kills it after `timeoutMs`. */
export async function evaluate(
  path: string,
  surroundings: Surroundings,
  timeoutMs: number,
): Promise<ConfigOutcome> {
  const order: EvaluationOrder = { path, surroundings };
  const { outcome, signal, code } = await run(order, timeoutMs);
  if (outcome) return deepFreeze(outcome);
  const { what, mend } =
    signal === "SIGKILL" ? overTime(timeoutMs) : endedEarly(`${signal ?? `exit code ${code}`}`);
  return { kind: "problems", problems: [{ path: basename(path), what, mend }] };
}

interface Ending {
  readonly outcome?: ConfigOutcome;
  readonly signal: NodeJS.Signals | number | null;
  readonly code: number;
}

async function run(order: EvaluationOrder, timeoutMs: number): Promise<Ending> {
  let outcome: ConfigOutcome | undefined;
  // The message and the end of the process arrive by different ways; the channel's end is behind every message.
  const channel = Promise.withResolvers<void>();
  // Bun would fetch a package that is not installed; a config that needs one must say so instead.
  const child = Bun.spawn([process.execPath, "--no-install", CHILD, JSON.stringify(order)], {
    cwd: order.surroundings.folder,
    stdio: ["ignore", 2, 2],
    timeout: timeoutMs,
    killSignal: "SIGKILL",
    ipc: (message: ConfigOutcome) => {
      outcome = message;
    },
    onDisconnect: () => channel.resolve(),
  });
  const [code] = await Promise.all([child.exited, channel.promise]);
  return { ...(outcome ? { outcome } : {}), signal: child.signalCode, code };
}

type Words = Pick<Problem, "what" | "mend">;

function overTime(timeoutMs: number): Words {
  return {
    what: `gave no config within ${timeoutMs / 1000} s`,
    mend: "let it wait for nothing: no server, no endless loop",
  };
}

function endedEarly(how: string): Words {
  return { what: `ended with ${how} before it gave a config`, mend: "let it export its config and not exit" };
}
