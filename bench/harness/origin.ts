/**
 * The origin behind the proxies: nginx answering from memory, the cheapest HTTP server at hand, so that the figures
 * are the proxy's and not the target's. One worker listening on several ports stands for several targets.
 */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { launchListening, type Started } from "./process.ts";
import { freePort } from "./wait.ts";

/** A running origin. */
export interface Origin {
  readonly ports: readonly number[];
  readonly process: Started;
}

/** What every request gets: about as long as a short API answer. */
const BODY = `{"id":1,"name":"tenfold","items":[1,2,3],"note":"${"x".repeat(50)}"}`;

/** Starts the origin on `core`, as `count` targets. */
export async function startOrigin(folder: string, count: number, core?: number): Promise<Origin> {
  const ports: number[] = [];
  while (ports.length < count) ports.push(freePort());
  const path = join(folder, "origin.conf");
  writeFileSync(path, originConfig(folder, ports));
  const argv = ["nginx", "-p", folder, "-c", path, "-e", join(folder, "origin-error.log")];
  const pinned = core === undefined ? {} : { core };
  const process = await launchListening({ name: "origin", argv, folder, ...pinned }, ports[0]!);
  return { ports, process };
}

function originConfig(folder: string, ports: readonly number[]): string {
  const listens = ports.map((port) => `listen 127.0.0.1:${port} reuseport backlog=4096;`).join(" ");
  return `
worker_processes 1; daemon off; pid ${folder}/origin.pid; worker_rlimit_nofile 16384;
events { worker_connections 16384; }
http {
  access_log off; keepalive_requests 100000000; keepalive_timeout 300s; default_type application/json;
  server { ${listens} location / { return 200 '${BODY}'; } }
}
`;
}
