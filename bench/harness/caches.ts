/** Caching proxies under comparison, with their caches and as proxies alone: the same work asked of each, one worker. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gatewayWorker } from "./gateway-worker.ts";
import { launchListening, type Started } from "./process.ts";
import { freePort } from "./wait.ts";

/** Rows of `CACHES`. */
export type CacheName = "nginx" | "varnish" | "tenfold" | "nginx-pass" | "varnish-pass" | "tenfold-pass";

/** What a cache is to do. */
interface CacheSetup {
  readonly port: number;
  readonly origin: number;
  readonly folder: string;
}

/** Writes the config and gives the command that serves in the foreground. */
export const CACHES: Readonly<Record<CacheName, (setup: CacheSetup) => string[]>> = {
  nginx: (setup) =>
    nginx(setup, "proxy_cache web; proxy_cache_lock on; add_header X-Cache $upstream_cache_status;"),
  "nginx-pass": (setup) => nginx(setup, ""),
  varnish: (setup) => varnish(setup, ""),
  "varnish-pass": (setup) => varnish(setup, "sub vcl_recv { return (pass); }"),
  tenfold: ({ port, origin, folder }) => gatewayWorker(folder, tenfoldConfig(port, origin, true)),
  "tenfold-pass": ({ port, origin, folder }) => gatewayWorker(folder, tenfoldConfig(port, origin, false)),
};

function nginx(setup: CacheSetup, caching: string): string[] {
  const path = join(setup.folder, "nginx.conf");
  writeFileSync(path, nginxConfig(setup, caching));
  return ["nginx", "-p", setup.folder, "-c", path, "-e", join(setup.folder, "nginx-error.log")];
}

function varnish({ port, origin, folder }: CacheSetup, rules: string): string[] {
  const vcl = join(folder, "default.vcl");
  writeFileSync(vcl, `vcl 4.1;\nbackend default { .host = "127.0.0.1"; .port = "${origin}"; }\n${rules}\n`);
  const pools = ["-p", "thread_pools=1", "-p", "thread_pool_min=100", "-p", "thread_pool_max=400"];
  const place = ["-n", join(folder, "work"), "-j", "none", "-s", "malloc,256m"];
  return ["varnishd", "-F", "-a", `127.0.0.1:${port}`, "-f", vcl, ...place, ...pools];
}

function tenfoldConfig(port: number, origin: number, isCached: boolean): unknown {
  return {
    admin: { address: "127.0.0.1:0" },
    gateway: { workers: 1, accessLog: "off", cache: { memory: "256MiB" } },
    listeners: {
      web: {
        address: `127.0.0.1:${port}`,
        protocol: "http",
        rules: [{ forward: "origin", ...(isCached ? { cache: {} } : {}) }],
      },
    },
    targetGroups: { origin: { targets: [{ address: `127.0.0.1:${origin}` }] } },
  };
}

function nginxConfig({ port, origin, folder }: CacheSetup, caching: string): string {
  return `
user root; worker_processes 1; daemon off; pid ${folder}/nginx.pid; worker_rlimit_nofile 16384;
events { worker_connections 16384; }
http {
  access_log off; keepalive_requests 100000000; keepalive_timeout 300s; sendfile on; tcp_nopush on;
  client_body_temp_path ${folder}/body; proxy_temp_path ${folder}/proxy; fastcgi_temp_path ${folder}/fastcgi;
  uwsgi_temp_path ${folder}/uwsgi; scgi_temp_path ${folder}/scgi;
  proxy_cache_path ${folder}/cache levels=1:2 keys_zone=web:64m max_size=256m inactive=1h use_temp_path=off;
  open_file_cache max=10000 inactive=60s; open_file_cache_valid 60s;
  upstream origin { server 127.0.0.1:${origin}; keepalive 512; keepalive_requests 100000000; }
  server {
    listen 127.0.0.1:${port} backlog=4096;
    location / {
      proxy_pass http://origin; proxy_http_version 1.1; proxy_set_header Connection ""; proxy_set_header Host $http_host;
      ${caching}
    }
  }
}
`;
}

/** A cache that accepts connections. */
export interface StartedCache {
  readonly name: CacheName;
  readonly port: number;
  readonly process: Started;
}

/** Starts a cache before `origin`, in a folder of its own below `parent`. */
export async function startCache(
  name: CacheName,
  parent: string,
  origin: number,
  core: number,
): Promise<StartedCache> {
  const folder = join(parent, name);
  mkdirSync(folder, { recursive: true });
  const port = freePort();
  const argv = CACHES[name]({ port, origin, folder });
  return { name, port, process: await launchListening({ name, argv, folder, core }, port) };
}
