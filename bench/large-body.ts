/**
 * A 4 GiB response through a slow client and a 4 GiB upload to a slow target: does memory stay flat?
 *
 * The proxy's resident set is sampled all along. What counts is its peak above the moment before the transfer.
 *
 *     bin/bun bench/large-body.ts [--gib 4] [--proxies tenfold,nginx,haproxy]
 */
import { options } from "./harness/arguments.ts";
import { type Direction, startBulkTarget, transfer } from "./harness/bulk.ts";
import { showTable, type Verdict } from "./harness/figures.ts";
import { peakGrowthOf } from "./harness/proc.ts";
import { type Started, withFolder } from "./harness/process.ts";
import { chosenProxies, type ProxyName, startProxy } from "./harness/proxies.ts";
import { conclude } from "./harness/results.ts";

/** Room for socket buffers on both sides and for garbage between two collections; the body is 64 times as large. */
const GROWTH_BYTES_MAX = 64 * 2 ** 20;

/** The first, small transfer brings code and buffers into memory. */
const WARM_UP_BYTES = 64 * 2 ** 20;

const { gib, proxies } = options({ gib: 4, proxies: "tenfold,nginx,haproxy" });
const bytes = Math.round(gib * 2 ** 30);

const rows: string[][] = [["proxy", "direction", "GiB", "seconds", "peak growth"]];
const verdicts: Verdict[] = [];
for (const name of chosenProxies(proxies)) {
  await withFolder(async (folder) => {
    const { port, server } = await startBulkTarget();
    const { ports, process } = await startProxy(name, folder, [[port]]);
    for (const direction of ["download", "upload"] as const)
      await measure(name, direction, ports[0]!, process);
    server.close();
  });
}
console.log(showTable(rows));
conclude("large-body", verdicts, rows);
process.exit();

async function measure(name: ProxyName, direction: Direction, port: number, proxy: Started): Promise<void> {
  await transfer(direction, port, WARM_UP_BYTES);
  const startMs = performance.now();
  const growth = await peakGrowthOf(proxy.pid, async () => {
    const moved = await transfer(direction, port, bytes);
    if (moved !== bytes) throw new Error(`${name} ${direction}: ${moved} of ${bytes} bytes arrived`);
  });
  const seconds = (performance.now() - startMs) / 1000;
  const mib = `${(growth / 2 ** 20).toFixed(1)} MiB`;
  rows.push([name, direction, gib.toString(), seconds.toFixed(1), mib]);
  const claim = `${gib} GiB ${direction} against a slow reader grows memory by at most ${GROWTH_BYTES_MAX / 2 ** 20} MiB`;
  if (name === "tenfold") verdicts.push({ claim, figure: mib, met: growth <= GROWTH_BYTES_MAX });
}
