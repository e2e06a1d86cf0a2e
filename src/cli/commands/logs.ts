/** `tenfold logs`: what the tasks of a service print. Reads files, so it works with a dead controller as well. */
import { nearest } from "../../config/index.ts";
import { adminClient } from "../admin-client.ts";
import { type Command, defineCommand, JSON_OPTION, STATE_OPTION } from "../command.ts";
import { type Context, pause } from "../context.ts";
import { EXIT, Failure } from "../failure.ts";
import {
  type LogFile,
  LogFollower,
  type LogLine,
  logFilesOf,
  loggedServices,
  writtenMs,
} from "../log-files.ts";
import { logLine } from "../render/log.ts";
import { findStateDirectory } from "../state-directory.ts";

const LINES = 20;

/** More is what an editor or `less` is for: the files are plain text. */
const LINES_MAX = 10_000;

const POLL_MS = 200;

/** Tasks shown when nobody can say which are alive: those that wrote last. */
const TASKS_SHOWN_MAX = 10;

/** The last lines of each task's log, and with `-f` what is added. */
export const logs: Command = defineCommand({
  name: "logs",
  heading: "Look",
  summary: "What the tasks of a service print",
  usage: ["SERVICE[/TASK] [-f] [--lines N]"],
  notes: ["`tenfold logs gateway` shows the gateway's workers."],
  positionals: [{ name: "SERVICE", about: "Name of a service, or one task such as web/3" }],
  options: {
    follow: { kind: "flag", short: "f", about: "Go on with what is printed, until Ctrl-C" },
    lines: {
      kind: "number",
      short: "n",
      placeholder: "N",
      about: "Lines of each task",
      fallback: `${LINES}`,
      min: 0,
      max: LINES_MAX,
    },
    json: JSON_OPTION,
    state: STATE_OPTION,
  },
  examples: [
    { line: "tenfold logs web -f", about: "All tasks of web, each line with its task's name" },
    { line: "tenfold logs web/3 --lines 100", about: "One task, also after it has ended" },
  ],
  async run({ words: [word = ""], options }, context) {
    const directory = findStateDirectory(context.cwd, options.state);
    const current = await currentTasks(directory, word);
    const follower = new LogFollower(() => chosen(directory, word, current));
    const show = printer(context, options.json);
    if (chosen(directory, word, current).length === 0) throw nothingThere(directory, word);
    for (const line of follower.tail(options.lines ?? LINES)) show(line);
    while (options.follow) {
      await pause(context, POLL_MS);
      for (const line of follower.next()) show(line);
    }
    return EXIT.ok;
  },
});

/** The tasks there are now; undefined when no controller says. */
async function currentTasks(directory: string, service: string): Promise<ReadonlySet<string> | undefined> {
  try {
    const { services } = await adminClient(directory).status();
    const found = services.find(({ name }) => name === service);
    return found && new Set(found.tasks.map(({ id }) => id));
  } catch {
    return undefined; // The files are there all the same.
  }
}

/** The files meant: one task's, those of the tasks there are, or of those that wrote last. A task that starts later counts. */
function chosen(
  directory: string,
  word: string,
  current: ReadonlySet<string> | undefined,
): readonly LogFile[] {
  const [service = "", task] = word.split("/");
  const files = logFilesOf(directory, service);
  if (task !== undefined) return files.filter((file) => file.task === word);
  if (current === undefined)
    return files.toSorted((a, b) => writtenMs(b) - writtenMs(a)).slice(0, TASKS_SHOWN_MAX);
  const newest = files.findLastIndex((file) => current.has(file.task));
  return files.filter((file, index) => current.has(file.task) || index > newest);
}

function printer({ terminal }: Context, asJson: boolean): (line: LogLine) => void {
  return (line) => terminal.out(asJson ? JSON.stringify(line) : logLine(line, terminal.style));
}

function nothingThere(directory: string, word: string): Failure {
  const [service = ""] = word.split("/");
  const known = loggedServices(directory);
  const near = nearest(service, known);
  if (known.includes(service))
    return new Failure(`there is no log of ${word}`, "see `tenfold status` for the tasks there are");
  const mend =
    near === undefined ? `there are logs of: ${known.join(", ") || "nothing yet"}` : `did you mean ${near}?`;
  return new Failure(`${service} has no logs in ${directory}`, mend);
}
