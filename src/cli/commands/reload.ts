/** `tenfold reload`: the config file, read again. */
import { adminClient } from "../admin-client.ts";
import { type Command, defineCommand, JSON_OPTION, STATE_OPTION } from "../command.ts";
import { EXIT } from "../failure.ts";
import { renderReload } from "../render/reload.ts";
import { findStateDirectory } from "../state-directory.ts";

/** Takes the config file over as it is now; no connection is dropped. */
export const reload: Command = defineCommand({
  name: "reload",
  heading: "Change",
  summary: "Read the config file again, without dropping a connection",
  usage: ["[options]"],
  notes: ["A file with problems changes nothing. Services whose command changed are deployed."],
  positionals: [],
  options: { json: JSON_OPTION, state: STATE_OPTION },
  examples: [
    { line: "tenfold reload", about: "The same as `kill -HUP` of the controller, and says what changed" },
  ],
  async run({ options }, { cwd, terminal }) {
    const result = await adminClient(findStateDirectory(cwd, options.state)).reload();
    const lines = options.json ? [JSON.stringify(result)] : renderReload(result, terminal.style);
    for (const line of lines) terminal.out(line);
    return result.problems.length === 0 ? EXIT.ok : EXIT.failed;
  },
});
