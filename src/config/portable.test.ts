/** What apps import runs on Node too: the door uses no Bun API, and the types it strips leave plain JavaScript. */
import { expect, test } from "bun:test";
import { fileURLToPath } from "node:url";

/** The first Node that runs TypeScript by stripping its types. */
const NODE_MIN = [22, 6] as const;

const DOOR = fileURLToPath(new URL("./index.ts", import.meta.url));

function nodeVersion(): readonly number[] {
  try {
    const { stdout } = Bun.spawnSync(["node", "--version"]);
    return stdout.toString().slice(1).split(".").map(Number);
  } catch {
    return []; // no node on this machine
  }
}

const [major = 0, minor = 0] = nodeVersion();
const tooOld = major < NODE_MIN[0] || (major === NODE_MIN[0] && minor < NODE_MIN[1]);

test.skipIf(tooOld)(`the door runs on node ${major}.${minor} (needs 22.6 or later)`, () => {
  const program = `
    const { parseConfig, buildSnapshot, parseSnapshot } = await import(${JSON.stringify(DOOR)});
    const rules = [{ match: { path: "~ ^/v[0-9]" }, respond: 200 }];
    const { config } = parseConfig({ listeners: { web: { address: ":80", rules } } }, { folder: "/", cores: 2 });
    const { snapshot } = buildSnapshot({ config, tasks: [], revision: 1 });
    console.log(parseSnapshot(JSON.stringify(snapshot)).kind);`;
  const flags = ["--no-warnings", "--experimental-strip-types", "--input-type=module"];
  const { stdout, stderr } = Bun.spawnSync(["node", ...flags, "-e", program]);
  expect(stderr.toString()).toBe("");
  expect(stdout.toString()).toBe("ok\n");
});
