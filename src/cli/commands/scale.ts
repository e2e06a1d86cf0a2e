/** `tenfold scale`: more or fewer tasks. */
import type { ServiceStatus, Status } from "../../app/index.ts";
import { adminClient } from "../admin-client.ts";
import { wholeNumber } from "../arguments.ts";
import { type Command, defineCommand, JSON_OPTION, NO_WAIT_OPTION, STATE_OPTION } from "../command.ts";
import { eventLine, feedFromNow, followUntil, isAbout } from "../events.ts";
import { EXIT, Failure } from "../failure.ts";
import { patience } from "../patience.ts";
import { plural } from "../render/figures.ts";
import { findStateDirectory } from "../state-directory.ts";

/** As many as a config may ask for. */
const TASKS_MAX = 1000;

/** Sets the wanted number of tasks and waits until as many are healthy. */
export const scale: Command = defineCommand({
  name: "scale",
  heading: "Change",
  summary: "Set how many tasks of a service run",
  usage: ["SERVICE N [--no-wait] [--json]"],
  notes: [
    "With autoscaling the number is kept within its bounds, and the autoscaler goes on from there: it adds tasks",
    "whenever the load asks for more, and goes below your number only after one `downWindow`.",
  ],
  positionals: [
    { name: "SERVICE", about: "Name of the service, as in the config" },
    { name: "N", about: `How many tasks, 0 to ${TASKS_MAX}` },
  ],
  options: { "no-wait": NO_WAIT_OPTION, json: JSON_OPTION, state: STATE_OPTION },
  examples: [{ line: "tenfold scale web 4", about: "Returns when four tasks are healthy" }],
  async run({ words: [service = "", amount = ""], options }, context) {
    const { terminal, cwd } = context;
    const asked = wholeNumber("N", amount, { min: 0, max: TASKS_MAX });
    const client = adminClient(findStateDirectory(cwd, options.state));
    const say = options.json ? terminal.err : terminal.out;
    const givesUp = patience(context.clock);
    const feed = await feedFromNow(client);
    const begun = await client.scale(service, asked);
    for (const line of beginLines(begun, asked)) say(line);
    const ended = options["no-wait"]
      ? begun
      : await followUntil(context, client, {
          feed,
          show: (event) => {
            if (isAbout(service, event)) say(eventLine(event, terminal.style));
          },
          verdict: (status) => settled(begun, status, givesUp),
        });
    if (options.json) terminal.out(JSON.stringify(ended));
    else if (!options["no-wait"])
      say(terminal.style.good(`${service} runs ${plural(ended.healthy, "healthy task")}`));
    return EXIT.ok;
  },
});

/** What is wanted now; a bound of the autoscaler may have had its say, and it goes on having it. */
function beginLines({ name, wanted, autoscale }: ServiceStatus, asked: number): string[] {
  const line = `${name}: ${plural(wanted, "task")} wanted`;
  if (autoscale === null) return [line];
  const bound = wanted === asked ? "" : ` (autoscale keeps it between ${autoscale.min} and ${autoscale.max})`;
  return [
    `${line}${bound}`,
    "the autoscaler goes on from there: up with the load, down no sooner than its downWindow",
  ];
}

/** The service once it has the tasks that were asked for; throws when it cannot come to that. */
function settled(
  { name, wanted }: ServiceStatus,
  status: Status,
  givesUp: (isFailing: boolean) => boolean,
): ServiceStatus | undefined {
  const now = status.services.find((service) => service.name === name);
  if (now === undefined)
    throw new Failure(`service ${name} is gone`, "it was taken out of the config meanwhile");
  if (givesUp(now.state === "failing")) throw new Failure(`${name} does not come up`, now.message);
  const isOver = now.wanted !== wanted || (now.healthy === wanted && now.running === wanted);
  return isOver ? now : undefined;
}
