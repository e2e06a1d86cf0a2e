/** Layer 4 or 7: whether the balancer reads the requests, or only passes bytes on. */
import { question, type Verdict } from "./question.ts";

/** CPU of a proxied request of HTTP/1.1: nginx took 14 to 15 us, our gateway less (docs/decisions/0009). */
const LAYER_7_MS = 0.015;

/** A balancer that costs a quarter of what it balances is a part of the app. */
const COST_SHARE = 0.25;

/** Layer 4 or 7. */
export const layer: ReturnType<typeof question> = question({
  asks: "layer 4 or 7",
  reads: ["http", "cpuMs"],
  decide: ({ http, cpuMs }): Verdict => {
    const share = cpuMs === 0 ? 1 : LAYER_7_MS / cpuMs;
    const seven = http && share < COST_SHARE;
    return {
      choice: seven ? "layer 7" : "layer 4",
      answer: seven
        ? "layer 7: rules by path, retries, health by answers"
        : "layer 4: addresses and ports only",
      tradeOff: seven
        ? "the balancer reads every request, and ends TLS"
        : "no rule by path, no retry, no health by what targets answer",
      triggers: [
        {
          kind: "word",
          what: "it speaks HTTP",
          is: http ? "yes" : "no",
          wanted: "yes",
          because: "what the balancer cannot read it can only pass on",
        },
        {
          kind: "number",
          key: "layer7Cost",
          what: "CPU of layer 7, of the request's own",
          value: share,
          threshold: COST_SHARE,
          unit: "share",
          formula: "CPU of layer 7 / CPU of the request",
          inputs: [
            ["CPU of layer 7", LAYER_7_MS, "ms"],
            ["CPU of the request", cpuMs, "ms"],
          ],
          because: "from a quarter on the balancer is a part of the bill",
          source: "bench/proxy-cpu.ts",
        },
      ],
    };
  },
});
