/** `tenfold db demo`: a failover in front of one's eyes. */
import { type FailoverDemoResult, runFailoverDemo } from "../../app/index.ts";
import type { Context } from "../context.ts";
import { asFailure } from "../controller.ts";
import { EXIT, UsageError } from "../failure.ts";
import { plural } from "../render/figures.ts";

/** What may be said of it. */
export interface DemoOptions {
  readonly mode: string | undefined;
  readonly postgres: string | undefined;
  readonly user: string | undefined;
  readonly json: boolean;
}

const SERVERS = 3;
const RATE = 200;

/** Runs it; fails when an acknowledged write was lost in quorum mode, which is promised not to happen. */
export async function failoverDemo(options: DemoOptions, context: Context): Promise<number> {
  const { terminal } = context;
  const mode = options.mode ?? "quorum";
  if (mode !== "quorum" && mode !== "async")
    throw new UsageError(`--mode ${mode} is none`, "write quorum or async");
  const { postgres, user } = options;
  const result = await runFailoverDemo({
    servers: SERVERS,
    rate: RATE,
    mode,
    ...(postgres === undefined ? {} : { postgres }),
    ...(user === undefined ? {} : { user }),
    say: (line) => {
      if (!options.json) terminal.out(line);
    },
    stopped: untilStopped(context),
  }).catch((problem: unknown) => {
    throw asFailure(problem);
  });
  const lines = options.json ? [JSON.stringify({ mode, ...plain(result) })] : resultLines(result);
  for (const line of lines) terminal.out(line);
  return mode === "quorum" && result.lost > 0 ? EXIT.failed : EXIT.ok;
}

function untilStopped({ onSignal }: Context): Promise<void> {
  return new Promise((stopped) => {
    for (const name of ["SIGINT", "SIGTERM"] as const) onSignal(name, stopped);
  });
}

function plain({ errors, ...rest }: FailoverDemoResult): Record<string, unknown> {
  return { ...rest, errors: Object.fromEntries(errors) };
}

function resultLines(result: FailoverDemoResult): string[] {
  const { sent, acknowledged, errors, longestPauseMs, lost } = result;
  const count = [...errors.values()].reduce((sum, times) => sum + times, 0);
  return [
    `clients sent ${sent} writes, ${acknowledged} were acknowledged`,
    `  longest pause          ${longestPauseMs} ms`,
    `  errors that they saw   ${count}`,
    ...[...errors].map(([text, times]) => `    ${plural(times, "time")}: ${text}`),
    `  acknowledged and lost  ${lost}`,
  ];
}
