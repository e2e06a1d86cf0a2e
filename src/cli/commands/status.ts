/** `tenfold status`: what runs. */
import { adminClient } from "../admin-client.ts";
import { type Command, defineCommand, JSON_OPTION, STATE_OPTION } from "../command.ts";
import { pause } from "../context.ts";
import { EXIT } from "../failure.ts";
import { renderStatus } from "../render/status.ts";
import { repaint } from "../screen.ts";
import { findStateDirectory } from "../state-directory.ts";

/** Often enough for a person, seldom enough for the controller. */
const REFRESH_MS = 1000;

/** What runs: listeners, services with their tasks, groups with their targets. */
export const status: Command = defineCommand({
  name: "status",
  heading: "Look",
  summary: "What runs: listeners, services, tasks, targets",
  usage: ["[--json] [--watch]"],
  positionals: [],
  options: {
    json: JSON_OPTION,
    watch: { kind: "flag", short: "w", about: "Show it again every second until Ctrl-C" },
    state: STATE_OPTION,
  },
  examples: [
    { line: "tenfold status", about: "Once, for people" },
    { line: "tenfold status --json | jq '.services[].healthy'", about: "For a script" },
  ],
  async run({ options }, context) {
    const client = adminClient(findStateDirectory(context.cwd, options.state));
    const { terminal, clock } = context;
    for (;;) {
      const now = await client.status();
      const lines = options.json
        ? [JSON.stringify(now, undefined, options.watch ? undefined : 2)]
        : renderStatus(now, {
            wallMs: clock.wallMs(),
            width: terminal.size().columns,
            style: terminal.style,
          });
      if (!options.watch) {
        for (const line of lines) terminal.out(line);
        return EXIT.ok;
      }
      repaint(terminal, lines, !options.json);
      await pause(context, REFRESH_MS);
    }
  },
});
