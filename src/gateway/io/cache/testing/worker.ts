/** One worker of a gateway, in a process of its own that can be killed. It prints its port once it serves. */
import { mapStore } from "../../../../edge/io/index.ts";
import { proxyTo, TestGateway } from "../../../testing/index.ts";

/** What the process is told, as JSON, in its only argument. */
export interface WorkerProcess {
  readonly index: number;
  /** File of the store. */
  readonly store: string;
  /** Sockets of the workers: this and their number. */
  readonly linkPrefix: string;
  /** Address of the target. */
  readonly target: string;
}

if (import.meta.main) {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the test that starts this process wrote it
  const told = JSON.parse(process.argv[2] ?? "") as WorkerProcess;
  const gateway = await TestGateway.start(proxyTo([told.target], { rule: { cache: {} } }), {
    index: told.index,
    store: mapStore(told.store, told.index),
    linkPath: (worker) => `${told.linkPrefix}-${worker}.sock`,
  });
  process.stdout.write(String(gateway.port));
}
