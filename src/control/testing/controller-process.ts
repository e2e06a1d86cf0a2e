/**
 * A controller in a process of its own, to be killed. Arguments: state directory. Prints "ready" when all tasks are
 * healthy, and then deploys again and again, so that any moment is a busy one.
 */
import { eventually } from "./eventually.ts";
import { Site, webConfig } from "./site.ts";

const directory = process.argv[2];
if (directory === undefined) throw new Error("usage: controller-process.ts DIRECTORY");
const site = await Site.open(directory, webConfig());
await site.healthy(2);
process.stdout.write("ready\n");
for (;;) {
  await site.controller.deploy("web");
  await eventually(() => site.status().services[0]?.deploy?.status === "succeeded");
}
