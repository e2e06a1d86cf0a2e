/**
 * The command `tenfold`: this process, handed to `dispatch`.
 *
 * A reader that goes away (`tenfold logs | head`) is no error, and what cannot be printed (the disk of `up --detach`
 * is full, the terminal was closed) is lost while the work goes on. Anything else that nobody expected is one line,
 * and the stack with TENFOLD_DEBUG=1.
 */
import { systemClock, systemScheduler } from "../base/index.ts";
import { VERSION } from "../base/io/index.ts";
import { COMMANDS } from "./commands.ts";
import type { Context } from "./context.ts";
import { dispatch } from "./dispatch.ts";
import { EXIT } from "./failure.ts";
import { processTerminal } from "./terminal.ts";

/** Commands that run something: they are there for more than what they print. */
const STAYING: readonly string[] = ["up", "run", "gateway"];

const context: Context = {
  terminal: processTerminal(),
  clock: systemClock,
  scheduler: systemScheduler,
  cwd: process.cwd(),
  env: process.env,
  version: VERSION,
  onSignal(name, listener) {
    process.on(name, listener);
    return () => void process.off(name, listener);
  },
  onKey: listenToKeys,
  // Loaded by the few commands that start one: it is most of the program.
  start: async (options) => (await import("./controller.ts")).start(options),
};

for (const stream of [process.stdout, process.stderr]) stream.on("error", endWithReader);
process.on("uncaughtException", crash);
process.on("unhandledRejection", crash);

process.exitCode = await dispatch(process.argv.slice(2), COMMANDS, context).catch(crash);
await Promise.all([written(process.stdout), written(process.stderr)]);
// Whatever a command left open (a poll, a watcher) has nothing more to say once it has given its exit code.
process.exit();

/** A pipe takes its time; what was printed goes out before the end. */
function written(stream: NodeJS.WriteStream): Promise<void> {
  return new Promise((resolve) => stream.write("", () => resolve()));
}

function listenToKeys(listener: (key: string) => void): () => void {
  const { stdin } = process;
  if (!stdin.isTTY) return () => {};
  const listen = (data: Buffer): void => {
    for (const key of data.toString()) listener(key);
  };
  stdin.setRawMode(true);
  stdin.on("data", listen);
  stdin.resume();
  return () => {
    stdin.off("data", listen);
    stdin.setRawMode(false);
    stdin.pause();
  };
}

/** What a pipe's reader did not want is not an error of ours; what keeps an app running does not end with it. */
function endWithReader(problem: NodeJS.ErrnoException): void {
  if (problem.code === "EPIPE" && !STAYING.includes(process.argv[2] ?? "")) process.exit(EXIT.ok);
}

function crash(problem: unknown): never {
  const wantsStack = process.env["TENFOLD_DEBUG"] && problem instanceof Error;
  const text = wantsStack ? problem.stack : `${String(problem)} (a bug; TENFOLD_DEBUG=1 shows where)`;
  process.stderr.write(`tenfold: ${text}\n`);
  process.exit(EXIT.failed);
}
