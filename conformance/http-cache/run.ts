/**
 * The public cache-tests suite (https://github.com/http-tests/cache-tests, BSD-3) against a gateway with `cache: {}`.
 *
 * The suite is not part of this repository. Give the folder of a checkout in which `npm install` has been run:
 *
 *     bin/bun conformance/http-cache/run.ts --suite FOLDER [--id TEST]
 *
 * Prints the score as the suite's own pages count it, and every test of ours that is not passed. With --id one test with
 * its whole conversation.
 */
import { spawn } from "node:child_process";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { freePort } from "../../src/base/testing.ts";
import { proxyTo, TestGateway } from "../../src/gateway/testing/index.ts";

interface Test {
  readonly id: string;
  readonly name: string;
  readonly kind?: "required" | "optimal" | "check";
  readonly browser_only?: boolean;
}

interface Suite {
  readonly id: string;
  readonly tests: readonly Test[];
}

const { values } = parseArgs({ options: { suite: { type: "string" }, id: { type: "string" } } });
const folder = values.suite;
if (folder === undefined) {
  console.log("skipped: give the folder of a checkout of http-tests/cache-tests with --suite");
  process.exit(0);
}

const origin = freePort();
const gateway = await TestGateway.start(proxyTo([`127.0.0.1:${origin}`], { rule: { cache: {} } }));
const server = spawn("node", ["test-engine/server/server.mjs"], {
  cwd: folder,
  env: {
    ...process.env,
    npm_config_port: String(origin),
    npm_package_config_protocol: "http",
    npm_package_config_pidfile: "",
  },
  stdio: "ignore",
});
await listening(origin);
const output = await runClient(`http://127.0.0.1:${gateway.port}`);
server.kill();
gateway.stop();

if (values.id === undefined) await report(JSON.parse(output) as Record<string, unknown>);
else console.log(output);
process.exit(0);

function runClient(base: string): Promise<string> {
  const env = {
    ...process.env,
    npm_config_base: base,
    npm_config_id: values.id ?? "",
    npm_package_config_id: "",
  };
  const child = spawn("node", ["--no-warnings", "test-engine/cli.mjs"], {
    cwd: folder,
    env,
    stdio: ["ignore", "pipe", "inherit"],
  });
  let text = "";
  child.stdout.on("data", (chunk: Buffer) => {
    text += chunk.toString();
  });
  return new Promise((resolve) => {
    child.on("exit", () => resolve(text));
  });
}

async function listening(port: number): Promise<void> {
  for (let tries = 0; tries < 100; tries++) {
    const answer = await fetch(`http://127.0.0.1:${port}/`).catch(() => undefined);
    if (answer !== undefined) return;
    await Bun.sleep(50);
  }
  throw new Error("the suite's server does not answer");
}

async function report(results: Record<string, unknown>): Promise<void> {
  const suites = ((await import(join(folder ?? "", "tests/index.mjs"))) as { default: readonly Suite[] })
    .default;
  const lib = (await import(join(folder ?? "", "test-engine/lib/results.mjs"))) as {
    determineTestResult: (
      suites: readonly Suite[],
      id: string,
      results: unknown,
      dependencies?: boolean,
    ) => readonly string[];
  };
  const tally = new Map<string, { passed: number; all: number }>();
  for (const suite of suites) {
    for (const test of suite.tests) {
      if (test.browser_only === true) continue;
      const kind = test.kind ?? "required";
      const mark = lib.determineTestResult(suites, test.id, results)[2] ?? "?";
      const isPassed = mark === "✅" || mark === "Y";
      for (const name of [kind, `${suite.id} (${kind})`]) {
        const row = tally.get(name) ?? { passed: 0, all: 0 };
        tally.set(name, { passed: row.passed + (isPassed ? 1 : 0), all: row.all + 1 });
      }
      if (!isPassed && kind !== "check")
        console.log(`${mark} ${kind} ${test.id}: ${test.name} -- ${describe(results[test.id])}`);
    }
  }
  for (const [name, { passed, all }] of tally) console.log(`${passed}/${all}  ${name}`);
}

function describe(result: unknown): string {
  return Array.isArray(result) ? result.join(" ") : String(result);
}
