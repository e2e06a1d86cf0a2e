/**
 * Plays the corpus of malformed and ambiguous requests against a proxy and prints its score by family.
 *
 *     bin/bun conformance/http1/run.ts [--proxies tenfold,nginx,haproxy] [--delivery whole|bytewise] [--show faults|all]
 *
 * Our gateway is held to the strict reading; a peer passes when it refuses or forwards in one unambiguous form.
 */
import { options } from "../../bench/harness/arguments.ts";
import { showTable } from "../../bench/harness/figures.ts";
import { withFolder } from "../../bench/harness/process.ts";
import { chosenProxies, type ProxyName, startProxy } from "../../bench/harness/proxies.ts";
import { CORPUS } from "./corpus.ts";
import { type Played, playCorpus, startOrigins } from "./play.ts";

/** Cases played at a time: enough to hide the waits for silence. */
const LANES = 8;

const { proxies, delivery, show } = options({
  proxies: "tenfold,nginx,haproxy",
  delivery: "whole",
  show: "faults",
});

const scores = new Map<ProxyName, Played[]>();
for (const name of chosenProxies(proxies))
  scores.set(name, await withFolder((folder) => score(name, folder)));
console.log(showTable(tableOf(scores)));
if ([...(scores.get("tenfold") ?? [])].some(({ fault }) => fault !== undefined)) process.exitCode = 1;

async function score(name: ProxyName, folder: string): Promise<Played[]> {
  const origins = await startOrigins(LANES);
  const { ports } = await startProxy(
    name,
    folder,
    origins.map(({ port }) => [port]),
  );
  const lanes = origins.map((origin, index) => ({ origin, port: ports[index]! }));
  const how = delivery === "bytewise" ? "bytewise" : "whole";
  const results = await playCorpus(lanes, { delivery: how, strict: name === "tenfold" });
  for (const origin of origins) origin.stop();
  for (const result of results)
    if (result.fault !== undefined || show === "all") console.log(describe(name, result));
  return results;
}

function describe(proxy: ProxyName, { family, name, fault, seen }: Played): string {
  const { statuses, closed } = seen.answers;
  const answer = `${statuses.join(",") || "no answer"}${closed ? ", closed" : ""}`;
  return `${proxy}  ${family}: ${name}: ${fault ?? "right"} [${answer}]`;
}

function tableOf(all: ReadonlyMap<ProxyName, readonly Played[]>): string[][] {
  const names = [...all.keys()];
  const right = (name: ProxyName, family?: string): string => {
    const rows = (all.get(name) ?? []).filter((row) => family === undefined || row.family === family);
    return `${rows.filter(({ fault }) => fault === undefined).length}/${rows.length}`;
  };
  const families = Object.keys(CORPUS).map((family) => [family, ...names.map((name) => right(name, family))]);
  return [["family", ...names], ...families, ["all", ...names.map((name) => right(name))]];
}
