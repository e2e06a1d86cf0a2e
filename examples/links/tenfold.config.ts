/**
 * Two copies of the link shortener behind one address; more of them, up to six, when requests pile up.
 */
import { defineConfig } from "tenfold/config";

export default defineConfig({
  listeners: {
    web: { address: "127.0.0.1:8080", protocol: "http", rules: [{ forward: "links" }] },
  },
  services: {
    links: {
      command: ["node", "server.js"],
      tasks: 2,
      health: { path: "/healthz", interval: "1s" },
      autoscale: { min: 2, max: 6, inFlight: 20, cpu: 0.7 },
    },
  },
});
