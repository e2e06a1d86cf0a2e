/** `tenfold drain`: one target out of its group, requests in flight finishing. */
import type { GroupStatus, Status } from "../../app/index.ts";
import { nearest } from "../../config/index.ts";
import { adminClient } from "../admin-client.ts";
import { type Command, defineCommand, NO_WAIT_OPTION, STATE_OPTION } from "../command.ts";
import { pause } from "../context.ts";
import { EXIT, Failure } from "../failure.ts";
import { findStateDirectory } from "../state-directory.ts";

const POLL_MS = 200;

/** Takes a target out by hand, or back in. */
export const drain: Command = defineCommand({
  name: "drain",
  heading: "Change",
  summary: "Take one target out; the requests it has finish",
  usage: ["TARGET [--group GROUP] [--undo]"],
  notes: ["It gets no new requests until `--undo`. A drained task goes on running."],
  positionals: [{ name: "TARGET", about: "HOST:PORT, or a task such as web/3; see `tenfold status`" }],
  options: {
    group: { kind: "text", placeholder: "GROUP", about: "Its target group, when it is in several" },
    undo: { kind: "flag", about: "Let it have requests again" },
    "no-wait": NO_WAIT_OPTION,
    state: STATE_OPTION,
  },
  examples: [
    { line: "tenfold drain 10.0.0.7:9001", about: "Returns when nothing is in flight there any more" },
    { line: "tenfold drain web/3 --undo", about: "And back in" },
  ],
  async run({ words: [word = ""], options }, context) {
    const { terminal, cwd } = context;
    const client = adminClient(findStateDirectory(cwd, options.state));
    const { group, target } = findTarget(await client.status(), word, options.group);
    await client.drain(group, target, options.undo);
    if (options.undo) {
      terminal.out(`${target} of ${group} gets requests again`);
      return EXIT.ok;
    }
    terminal.out(`draining ${target} of ${group}`);
    if (options["no-wait"]) return EXIT.ok;
    while (!isDrained(await client.status(), group, target)) await pause(context, POLL_MS);
    terminal.out(terminal.style.good("nothing is in flight there any more"));
    return EXIT.ok;
  },
});

/** Whether every worker serves by a snapshot in which the target is out, and has nothing in flight to it. */
function isDrained({ controller, gateway }: Status, group: string, target: string): boolean {
  const now = gateway.groups.find(({ name }) => name === group)?.targets.find(({ id }) => id === target);
  if (now === undefined) return true;
  const acked = gateway.workers.every(
    ({ state, revision }) => state !== "serving" || revision >= controller.revision,
  );
  return now.state === "draining" && acked && now.inFlight === 0;
}

/** Where the target is that a person named by address or task. Throws `Failure` when that is nowhere or ambiguous. */
function findTarget(
  { gateway }: Status,
  word: string,
  inGroup: string | undefined,
): { readonly group: string; readonly target: string } {
  const groups = gateway.groups.filter(({ name }) => inGroup === undefined || name === inGroup);
  const found = groups.flatMap(({ name, targets }) =>
    targets
      .filter(({ id, task }) => id === word || task === word)
      .map(({ id }) => ({ group: name, target: id })),
  );
  const [first, second] = found;
  if (first === undefined) throw unknownTarget(groups, word, inGroup);
  if (second === undefined) return first;
  const names = found.map(({ group }) => group).join(", ");
  throw new Failure(`${word} is in several groups: ${names}`, "say which with --group GROUP");
}

function unknownTarget(groups: readonly GroupStatus[], word: string, inGroup: string | undefined): Failure {
  const known = groups.flatMap(({ targets }) =>
    targets.flatMap(({ id, task }) => (task ? [id, task] : [id])),
  );
  const near = nearest(word, known);
  const where = inGroup === undefined ? "" : ` in group ${inGroup}`;
  const mend = near === undefined ? "see `tenfold status` for those there are" : `did you mean ${near}?`;
  return new Failure(`there is no target ${word}${where}`, mend);
}
