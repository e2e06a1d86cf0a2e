/**
 * Three copies of the link shortener behind one address, and the store that they share; up to six when requests pile up.
 */
import { defineConfig } from "tenfold/config";

export default defineConfig({
  listeners: {
    web: { address: "127.0.0.1:8080", protocol: "http", rules: [{ forward: "links" }] },
  },
  services: {
    links: {
      command: ["node", "server.js"],
      tasks: 3,
      algorithm: "round-robin", // any task answers anybody: nothing needs to be sticky
      health: { path: "/healthz", interval: "1s" },
      autoscale: { min: 3, max: 6, inFlight: 20, cpu: 0.7 },
    },
  },
  // Tasks find it in TENFOLD_STORE_SHARED_URL. Not on 6379, where a Redis of yours may be.
  stores: { shared: { url: "embedded:", address: "127.0.0.1:7079" } },
});
