/** `tenfold deploy`: every task of a service anew, without losing a request. */
import type { DeployStatus, Status } from "../../app/index.ts";
import { adminClient } from "../admin-client.ts";
import { type Command, defineCommand, JSON_OPTION, NO_WAIT_OPTION, STATE_OPTION } from "../command.ts";
import { eventLine, feedFromNow, followUntil, isAbout } from "../events.ts";
import { EXIT } from "../failure.ts";
import { findStateDirectory } from "../state-directory.ts";

/** Replaces the tasks one after the other and waits for the outcome. */
export const deploy: Command = defineCommand({
  name: "deploy",
  heading: "Change",
  summary: "Replace the tasks of a service by ones that run what is on disk now",
  usage: ["SERVICE [--no-wait] [--json]"],
  notes: [
    "New tasks start beside the old ones and take requests when they are healthy; then the old ones",
    "finish theirs and end. If the new ones keep failing, the old revision goes on serving.",
  ],
  positionals: [{ name: "SERVICE", about: "Name of the service, as in the config" }],
  options: { "no-wait": NO_WAIT_OPTION, json: JSON_OPTION, state: STATE_OPTION },
  examples: [
    { line: "tenfold deploy web", about: "Shows each step; exits 1 with the reason when it was rolled back" },
    { line: "tenfold deploy web --no-wait && tenfold status", about: "Begins it, and looks how far it is" },
  ],
  async run({ words: [service = ""], options }, context) {
    const { terminal, cwd } = context;
    const client = adminClient(findStateDirectory(cwd, options.state));
    const say = options.json ? terminal.err : terminal.out;
    const feed = await feedFromNow(client);
    const begun = await client.deploy(service);
    say(`deploying ${service}: ${begun.from} -> ${begun.to}`);
    const ended = options["no-wait"]
      ? begun
      : await followUntil(context, client, {
          feed,
          show: (event) => {
            if (isAbout(service, event)) say(eventLine(event, terminal.style));
          },
          verdict: (status) => outcomeOf(begun, status),
        });
    if (options.json) terminal.out(JSON.stringify(ended));
    else if (!options["no-wait"]) say(outcomeLine(ended, terminal.style));
    return ended.status === "succeeded" || ended.status === "running" ? EXIT.ok : EXIT.failed;
  },
});

/** How the deploy that was begun has ended; undefined while it goes on. */
function outcomeOf(begun: DeployStatus, status: Status): DeployStatus | undefined {
  const now = status.services.find(({ name }) => name === begun.service)?.deploy;
  if (now?.to !== begun.to) return { ...begun, status: "superseded" };
  return now.status === "running" || now.status === "rolling-back" ? undefined : now;
}

const OUTCOMES: Readonly<Record<DeployStatus["status"], string>> = {
  running: "is under way",
  succeeded: "succeeded",
  "rolling-back": "is being rolled back",
  "rolled-back": "was rolled back; the old revision serves",
  failed: "failed",
  superseded: "was overtaken by another",
};

/** The last line: what became of it, and why. */
function outcomeLine(
  { service, status, message }: DeployStatus,
  style: { readonly good: (text: string) => string; readonly bad: (text: string) => string },
): string {
  const line = `deploy of ${service} ${OUTCOMES[status]}`;
  if (status === "succeeded") return style.good(line);
  return message === "" ? style.bad(line) : `${style.bad(line)}: ${message}`;
}
