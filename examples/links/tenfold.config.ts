/**
 * Three copies of the link shortener behind one address, each request to the next of them; up to six when requests pile up.
 * What they know is in one store that they share.
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
      health: { path: "/healthz", interval: "1s" },
      autoscale: { min: 3, max: 6, inFlight: 20, cpu: 0.7 },
    },
  },
  stores: { shared: { url: "embedded:", address: "127.0.0.1:6390" } },
});
