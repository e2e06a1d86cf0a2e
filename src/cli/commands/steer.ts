/** `tenfold steer`: a DNS server that sends each client to the nearest edge that is well. */
import { decideOnce, type SteeringHandle, startSteering } from "../../app/index.ts";
import { formatAddress, type SteeringConfig } from "../../config/index.ts";
import { explainSteering } from "../../steering/index.ts";
import { CONFIG_OPTION, type Command, defineCommand, JSON_OPTION } from "../command.ts";
import { loadOrFail } from "../config-file.ts";
import type { Context } from "../context.ts";
import { asFailure } from "../controller.ts";
import { EXIT, Failure, UsageError } from "../failure.ts";

/** Serves the `steering` of the config until it is stopped, or explains one decision. */
export const steer: Command = defineCommand({
  name: "steer",
  heading: "Start and stop",
  summary: "Answer DNS queries with the nearest edge that is well",
  usage: ["[-c FILE]", "--explain IP [-c FILE] [--json]"],
  notes: [
    "Runs in the foreground; SIGINT and SIGTERM stop it. The zone has to be delegated to it.",
    "--explain checks each edge once and says where a client with this address would be sent.",
  ],
  positionals: [],
  options: {
    config: CONFIG_OPTION,
    explain: { kind: "text", placeholder: "IP", about: "Say where this client is sent, and why" },
    json: JSON_OPTION,
  },
  examples: [
    { line: "tenfold steer -c steering.yaml", about: "Until Ctrl-C" },
    { line: "tenfold steer --explain 203.0.113.7", about: "Region, distances, health and the choice" },
  ],
  async run({ options }, context) {
    const { config, path } = await loadOrFail(options.config, context.cwd, context.terminal);
    const { steering } = config;
    if (steering === undefined)
      throw new Failure(`${path} has no steering`, "write steering: { zone, nameservers, edges, regions }");
    if (options.explain === undefined) return serve(steering, context);
    return explain(steering, options.explain, { ...context, json: options.json });
  },
});

async function explain(
  steering: SteeringConfig,
  client: string,
  { terminal, json }: Pick<Context, "terminal"> & { readonly json: boolean },
): Promise<number> {
  const decision = await decideOnce(steering, client);
  if (decision === undefined)
    throw new UsageError(`--explain is "${client}", which is no IP address`, "write --explain 203.0.113.7");
  const lines = json ? [JSON.stringify(decision)] : explainSteering(decision);
  for (const line of lines) terminal.out(line);
  return EXIT.ok;
}

async function serve(steering: SteeringConfig, { terminal, onSignal }: Context): Promise<number> {
  const handle = await start(steering, (line) => terminal.out(line));
  const { zone, edges } = steering;
  const names = edges.map(({ name }) => name).join(", ");
  terminal.out(`answering for ${zone} on ${formatAddress(handle.address)}, UDP and TCP: ${names}`);
  await stopped(onSignal);
  handle.stop();
  terminal.err(countsLine(handle));
  return EXIT.ok;
}

async function start(steering: SteeringConfig, say: (line: string) => void): Promise<SteeringHandle> {
  try {
    return await startSteering(steering, { say });
  } catch (problem) {
    throw asFailure(problem);
  }
}

function stopped(onSignal: Context["onSignal"]): Promise<void> {
  return new Promise((resolve) => {
    for (const name of ["SIGINT", "SIGTERM"] as const) onSignal(name, resolve);
  });
}

function countsLine({ counts: { udp, tcp, dropped, limited } }: SteeringHandle): string {
  return `stopped: ${udp} queries by UDP, ${tcp} by TCP; ${dropped} without an answer, ${limited} over the rate`;
}
