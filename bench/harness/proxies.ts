/**
 * The proxies under comparison, one row each: a config that asks the same work of all, and the command.
 *
 * The work: keep-alive on both sides, round-robin over the targets, one path rule that does not match and one that
 * does, X-Forwarded-For added, request counters on, access log off, one worker (or thread).
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gatewayWorker } from "./gateway-worker.ts";
import { launchListening, type Started } from "./process.ts";
import { freePortsFrom } from "./wait.ts";

/** One listener and what it forwards to; all ports on 127.0.0.1. */
export interface ProxyListener {
  readonly port: number;
  readonly targets: readonly number[];
}

/** What a proxy is to do. */
export interface ProxySetup {
  readonly listeners: readonly ProxyListener[];
  /** Another free port, for a proxy that serves its counters over HTTP. */
  readonly adminPort: number;
  /** Folder for config, logs and state. */
  readonly folder: string;
}

/** Rows of `PROXIES`. */
export type ProxyName = "nginx" | "haproxy" | "tenfold";

/** Connections that any proxy must be able to hold: the idle-memory bench opens 5,000 on each side. */
const CONNECTIONS_MAX = 8192;

/** Writes the proxy's config into its folder and gives the command line that starts it in the foreground. */
export const PROXIES: Readonly<Record<ProxyName, (setup: ProxySetup) => string[]>> = {
  nginx: (setup) => {
    const path = join(setup.folder, "nginx.conf");
    writeFileSync(path, nginxConfig(setup));
    return ["nginx", "-p", setup.folder, "-c", path, "-e", join(setup.folder, "nginx-error.log")];
  },
  haproxy: (setup) => {
    const path = join(setup.folder, "haproxy.cfg");
    writeFileSync(path, haproxyConfig(setup));
    return ["haproxy", "-db", "-f", path];
  },
  tenfold: (setup) => tenfoldCommand(setup, tenfoldConfig(setup)),
};

/** Names given on the command line (`--proxies nginx,tenfold`). */
export function chosenProxies(text: string): ProxyName[] {
  return text.split(",").map((name) => {
    if (isProxy(name)) return name;
    throw new Error(`no proxy called "${name}"; known: ${Object.keys(PROXIES).join(", ")}`);
  });
}

function isProxy(name: string): name is ProxyName {
  return name in PROXIES;
}

/**
 * `TENFOLD_COMMAND` replaces our command line, split at spaces, so that a build under test can be measured:
 * `{config}`, `{folder}`, and `{port}`, `{target0}`, `{target1}` of the first listener are filled in.
 */
function tenfoldCommand(setup: ProxySetup, config: unknown): string[] {
  const template = process.env["TENFOLD_COMMAND"];
  if (template === undefined) return gatewayWorker(setup.folder, config);
  const configPath = join(setup.folder, "tenfold.config.json");
  writeFileSync(configPath, JSON.stringify(config, null, 2));
  const values: Record<string, string> = {
    config: configPath,
    folder: setup.folder,
    port: String(setup.listeners[0]?.port),
  };
  setup.listeners[0]?.targets.forEach((port, index) => (values[`target${index}`] = String(port)));
  return template
    .split(" ")
    .map((word) => word.replace(/\{(\w+)\}/g, (hole, name: string) => values[name] ?? hole));
}

function tenfoldConfig({ listeners, adminPort }: ProxySetup): unknown {
  const entries = <T>(
    name: (index: number) => string,
    value: (listener: ProxyListener, index: number) => T,
  ) => Object.fromEntries(listeners.map((listener, index) => [name(index), value(listener, index)]));
  const group = ({ targets }: ProxyListener): unknown => ({
    algorithm: "round-robin",
    targets: targets.map((target) => ({ address: `127.0.0.1:${target}` })),
  });
  return {
    admin: { address: `127.0.0.1:${adminPort}` },
    gateway: { workers: 1, accessLog: "off" },
    listeners: entries(
      (index) => `web${index}`,
      ({ port }, index) => ({
        address: `127.0.0.1:${port}`,
        protocol: "http",
        rules: [{ match: { path: "/api/*" }, forward: `api${index}` }, { forward: `web${index}` }],
      }),
    ),
    targetGroups: {
      ...entries((index) => `api${index}`, group),
      ...entries((index) => `web${index}`, group),
    },
  };
}

function nginxConfig({ listeners, adminPort, folder }: ProxySetup): string {
  return `
user root; worker_processes 1; daemon off; pid ${folder}/nginx.pid; worker_rlimit_nofile ${CONNECTIONS_MAX * 2};
events { worker_connections ${CONNECTIONS_MAX * 2}; }
http {
  access_log off; keepalive_requests 100000000; keepalive_timeout 300s; client_max_body_size 0;
  client_body_temp_path ${folder}/body; proxy_temp_path ${folder}/proxy; fastcgi_temp_path ${folder}/fastcgi;
  uwsgi_temp_path ${folder}/uwsgi; scgi_temp_path ${folder}/scgi;
  ${listeners.map(nginxServer).join("")}
  server { listen 127.0.0.1:${adminPort}; location / { stub_status; } }
}
`;
}

function nginxServer({ port, targets }: ProxyListener, index: number): string {
  const servers = targets.map((target) => `server 127.0.0.1:${target};`).join(" ");
  const keepAlive = "keepalive 512; keepalive_requests 100000000; keepalive_timeout 60s;";
  return `
  upstream web${index} { ${servers} ${keepAlive} }
  upstream api${index} { ${servers} ${keepAlive} }
  server {
    listen 127.0.0.1:${port} backlog=4096;
    proxy_http_version 1.1; proxy_set_header Connection ""; proxy_set_header Host $http_host;
    proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for; proxy_request_buffering off; proxy_max_temp_file_size 0;
    location /api/ { proxy_pass http://api${index}; }
    location / { proxy_pass http://web${index}; }
  }
`;
}

function haproxyConfig({ listeners, adminPort }: ProxySetup): string {
  return `
global
  nbthread 1
  maxconn ${CONNECTIONS_MAX}
defaults
  mode http
  option forwardfor
  option http-keep-alive
  http-reuse always
  timeout client 300s
  timeout server 60s
  timeout connect 5s
frontend stats
  bind 127.0.0.1:${adminPort}
  stats enable
${listeners.map(haproxyFrontend).join("")}
`;
}

function haproxyFrontend({ port, targets }: ProxyListener, index: number): string {
  const servers = targets.map((target, at) => `  server t${at} 127.0.0.1:${target}`).join("\n");
  return `
frontend web${index}
  bind 127.0.0.1:${port} backlog 4096
  acl api path_beg /api/
  use_backend api${index} if api
  default_backend web${index}
backend web${index}
  balance roundrobin
${servers}
backend api${index}
  balance roundrobin
${servers}
`;
}

/** A proxy that accepts connections on all its listeners. */
export interface StartedProxy {
  readonly name: ProxyName;
  readonly ports: readonly number[];
  readonly process: Started;
}

/** Starts a proxy with one listener for each list of targets, in a folder of its own below `parent`. */
export async function startProxy(
  name: ProxyName,
  parent: string,
  targets: readonly (readonly number[])[],
  core?: number,
): Promise<StartedProxy> {
  const folder = join(parent, name);
  mkdirSync(folder, { recursive: true });
  const adminPort = freePortsFrom(targets.length + 1); // in a row, so that none is drawn twice
  const listeners = targets.map(
    (group, index): ProxyListener => ({ port: adminPort + 1 + index, targets: group }),
  );
  const argv = PROXIES[name]({ listeners, adminPort, folder });
  const ports = listeners.map(({ port }) => port);
  const process = await launchListening(
    { name, argv, folder, ...(core === undefined ? {} : { core }) },
    ports.at(-1)!,
  );
  return { name, ports, process };
}
