/** A line of a task's log with the task's name before it. */
import type { LogLine } from "../log-files.ts";
import type { Style } from "../style.ts";

/** Room for "web/12", so that lines begin in one column. */
const TASK_WIDTH = 8;

/** "web/3    | listening". */
export function logLine({ task, text }: LogLine, style: Style): string {
  return `${style.name(task.padEnd(TASK_WIDTH))} ${style.dim("|")} ${text}`;
}
