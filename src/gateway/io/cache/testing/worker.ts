/** One worker of a gateway in a process of its own: `worker.ts INDEX STORE SOCKET-PREFIX TARGET CACHE`. Prints its port. */
import type { UserCache } from "../../../../config/index.ts";
import { mapStore } from "../../../../edge/io/index.ts";
import { proxyTo, TestGateway } from "../../../testing/index.ts";

const [index = "0", store = "", prefix = "", address = "", cache = "{}"] = process.argv.slice(2);

// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the test that starts this process wrote it
const config = proxyTo([address], { rule: { cache: JSON.parse(cache) as UserCache } });
const gateway = await TestGateway.start(config, {
  index: Number(index),
  store: mapStore(store, Number(index)),
  linkPath: (worker) => `${prefix}-${worker}.sock`,
});
console.log(gateway.port);
