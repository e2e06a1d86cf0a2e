/** The commands, in the order in which help lists them. A new one is one file and one row. */
import type { Command } from "./command.ts";
import { availability } from "./commands/availability.ts";
import { check } from "./commands/check.ts";
import { deploy } from "./commands/deploy.ts";
import { down } from "./commands/down.ts";
import { drain } from "./commands/drain.ts";
import { explain } from "./commands/explain.ts";
import { gateway } from "./commands/gateway.ts";
import { logs } from "./commands/logs.ts";
import { queue } from "./commands/queue.ts";
import { reload } from "./commands/reload.ts";
import { run } from "./commands/run.ts";
import { scale } from "./commands/scale.ts";
import { simulate } from "./commands/simulate.ts";
import { status } from "./commands/status.ts";
import { top } from "./commands/top.ts";
import { up } from "./commands/up.ts";

/** Every command of `tenfold`. */
export const COMMANDS: readonly Command[] = [
  run,
  up,
  down,
  gateway,
  status,
  top,
  logs,
  check,
  explain,
  deploy,
  scale,
  drain,
  reload,
  availability,
  queue,
  simulate,
];
