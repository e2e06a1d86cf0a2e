/**
 * The commands, in the order in which help lists them. A new one is one file and one row.
 *
 * A command is loaded when it is asked for: who looks at `status` should not wait for the planner to be read.
 */
import type { Command } from "./command.ts";

/** Name -> what brings the command into memory. */
export type CommandTable = Readonly<Record<string, () => Promise<Command>>>;

/** Every command of `tenfold`. */
export const COMMANDS: CommandTable = {
  run: async () => (await import("./commands/run.ts")).run,
  up: async () => (await import("./commands/up.ts")).up,
  down: async () => (await import("./commands/down.ts")).down,
  gateway: async () => (await import("./commands/gateway.ts")).gateway,
  steer: async () => (await import("./commands/steer.ts")).steer,
  store: async () => (await import("./commands/store.ts")).store,
  router: async () => (await import("./commands/router.ts")).router,
  db: async () => (await import("./commands/db.ts")).db,
  status: async () => (await import("./commands/status.ts")).status,
  top: async () => (await import("./commands/top.ts")).top,
  logs: async () => (await import("./commands/logs.ts")).logs,
  check: async () => (await import("./commands/check.ts")).check,
  explain: async () => (await import("./commands/explain.ts")).explain,
  cost: async () => (await import("./commands/cost.ts")).cost,
  deploy: async () => (await import("./commands/deploy.ts")).deploy,
  scale: async () => (await import("./commands/scale.ts")).scale,
  drain: async () => (await import("./commands/drain.ts")).drain,
  purge: async () => (await import("./commands/purge.ts")).purge,
  assets: async () => (await import("./commands/assets.ts")).assets,
  reload: async () => (await import("./commands/reload.ts")).reload,
  estimate: async () => (await import("./commands/estimate.ts")).estimate,
  availability: async () => (await import("./commands/availability.ts")).availability,
  queue: async () => (await import("./commands/queue.ts")).queue,
  choose: async () => (await import("./commands/choose.ts")).choose,
  simulate: async () => (await import("./commands/simulate.ts")).simulate,
};
