/** What every command works with: the terminal, time, the surroundings, and the way to start a controller. */
import type { Clock, Scheduler } from "../base/index.ts";
import type { StartController } from "./controller.ts";
import type { Terminal } from "./terminal.ts";

/** Signals that commands listen for. */
export type SignalName = "SIGINT" | "SIGTERM" | "SIGHUP" | "SIGWINCH" | "SIGUSR2";

/** The machine as a command sees it; tests give their own. */
export interface Context {
  readonly terminal: Terminal;
  readonly clock: Clock;
  readonly scheduler: Scheduler;
  /** Absolute. */
  readonly cwd: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly version: string;
  /** Calls `listener` at each such signal; returns what takes it back. */
  readonly onSignal: (name: SignalName, listener: () => void) => () => void;
  /** Calls `listener` with each key that is pressed; returns what gives the keyboard back. Does nothing for a pipe. */
  readonly onKey: (listener: (key: string) => void) => () => void;
  readonly start: StartController;
}

/** Resolves after `ms`. */
export function pause({ scheduler }: Pick<Context, "scheduler">, ms: number): Promise<void> {
  return new Promise((resolve) => void scheduler.after(ms, resolve));
}
