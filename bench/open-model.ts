/**
 * Sends requests at a constant rate to a port and reports latency from the moment each was due, and every failure.
 *
 *     bin/bun bench/open-model.ts --port 8080 [--rate 1000] [--seconds 10] [--path /]
 */
import { options } from "./harness/arguments.ts";
import { describeFailures, OpenLoad } from "./harness/open-load.ts";
import { pause } from "./harness/wait.ts";

const { port, rate, seconds, path } = options({ port: 8080, rate: 1000, seconds: 10, path: "/" });

const request = (): string => `GET ${path} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\n\r\n`;
const load = new OpenLoad({ port, ratePerSecond: rate, request });
await pause(seconds * 1000);
const report = await load.stop();
console.log(describeFailures(report));
console.log(
  `p50 ${report.p50Ms.toFixed(2)} ms, p99 ${report.p99Ms.toFixed(2)} ms, max ${report.maxMs.toFixed(1)} ms`,
);
for (const example of report.examples) console.log(`  ${example}`);
if (report.failedTotal > 0) process.exitCode = 1;
