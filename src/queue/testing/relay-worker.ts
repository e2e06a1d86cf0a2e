/** A process of its own that relays: appends "KEY N" to `LOG` for each event of the topic "t". */
import { appendFileSync } from "node:fs";
import { openOutbox } from "../io/index.ts";

const { URL: url = "", LOG = "" } = process.env;
const outbox = await openOutbox({ url });
outbox.relay(
  {
    t: async ({ key, payload }) => {
      await new Promise((resolve) => setTimeout(resolve, 1));
      appendFileSync(LOG, `${key} ${(payload as { n: number }).n}\n`);
    },
  },
  { poll: "20ms", batch: 50 },
);
process.stdout.write("ready\n");
