/**
 * A Postgres server and its agent in a process of its own, or a witness and its: `database-agent.ts JSON`, the settings as of
 * `DatabaseAgentOptions`, or of `DatabaseWitnessOptions`, without the log.
 *
 * SIGTERM and SIGINT stop both. SIGHUP ends the agent alone, for a newer one that adopts the server. With PORT in its environment it answers
 * there whether it has come up. A server that does not start ends the agent, whose last line says why.
 */
import { createLog, systemClock } from "../base/index.ts";
import { answerHealth } from "./databases/agent-health.ts";
import { type DatabaseAgentOptions, runDatabaseAgent } from "./run-database-agent.ts";
import { type DatabaseWitnessOptions, runDatabaseWitness } from "./run-database-witness.ts";

process.stderr.on("error", () => {}); // a full disk leaves a gap in the log; it must not end the agent
const log = createLog({ clock: systemClock, level: "info", write: (line) => process.stderr.write(line) });

// What is asked while it still starts is done when it has started.
const { promise: asked, resolve: ask } = Promise.withResolvers<"stop" | "leave">();
process.on("SIGTERM", () => ask("stop"));
process.on("SIGINT", () => ask("stop"));
process.on("SIGHUP", () => ask("leave"));

try {
  const settings = JSON.parse(process.argv[2] ?? "") as
    | Omit<DatabaseAgentOptions, "log">
    | Omit<DatabaseWitnessOptions, "log">;
  const running =
    "kind" in settings
      ? await runDatabaseWitness({ ...settings, log })
      : await runDatabaseAgent({ ...settings, log });
  const { state, problem: why } = running.agent.facts();
  if (why !== null && state !== "running" && state !== "absent") throw new Error(why);
  const port = Number(process.env["PORT"] ?? 0);
  if (port > 0) answerHealth(port, () => running.agent.facts());
  void asked
    .then((how) => running[how]())
    .then(
      () => process.exit(0),
      (problem: unknown) => {
        log.error("database-not-stopped", { error: String(problem) });
        process.exit(1);
      },
    );
} catch (problem) {
  log.error("database-cannot-start", { error: String(problem) });
  process.exit(1);
}
