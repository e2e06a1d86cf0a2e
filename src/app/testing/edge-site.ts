/**
 * A site of two edges and a shield before an origin that counts: real controllers with real workers. Each knows the others; the
 * ways from one to another's admin API and to the shield lead over relays, which can be cut.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort } from "../../base/testing.ts";
import { parseConfig, type UserConfig } from "../../config/index.ts";
import { Relay } from "../../gateway/testing/relay.ts";
import { type ControllerHandle, startController } from "../controller.ts";
import { until } from "./cached-site.ts";

/** One installation. */
export interface Installation {
  readonly name: string;
  readonly state: string;
  readonly host: string;
  /** The way to its admin API, as the others take it. */
  readonly admin: Relay;
  /** Asks it for a path as a client of the site does; a body is the number of the version that the origin had. */
  get(path: string): Promise<Response>;
  /** Ends its controller, as a crash would, and starts another. */
  restart(): Promise<void>;
}

export interface EdgeSite {
  readonly fra: Installation;
  readonly lon: Installation;
  readonly shield: Installation;
  /** The way from the edges to the shield. */
  readonly toShield: Relay;
  /** What the origin answers with from now on. */
  setVersion(version: number): void;
  readonly originRequests: () => number;
  stop(): Promise<void>;
}

const NAMES = ["s1", "fra", "lon"] as const;

interface Place {
  readonly name: (typeof NAMES)[number];
  readonly state: string;
  readonly port: number;
  readonly adminPort: number;
  readonly admin: Relay;
}

export async function startEdgeSite(): Promise<EdgeSite> {
  const folder = mkdtempSync(join(tmpdir(), "tenfold-edges-"));
  let version = 1;
  let requests = 0;
  const origin = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    fetch(request) {
      if (!new URL(request.url).pathname.startsWith("/ready")) requests++;
      return new Response(String(version), {
        headers: { "cache-control": "max-age=3600", "cache-tag": "all" },
      });
    },
  });
  const places = await Promise.all(NAMES.map((name) => placeOf(name, folder)));
  const [s1] = places;
  if (s1 === undefined) throw new Error("edge site: no shield");
  const toShield = await Relay.start(s1.port);
  const next = (name: string): string => (name === "s1" ? `127.0.0.1:${origin.port}` : toShield.address);
  const start = (place: Place): Promise<ControllerHandle> =>
    startController({ config: configOf(place, places, next(place.name)), stateDirectory: place.state });
  const controllers = new Map<string, ControllerHandle>();
  for (const place of places) controllers.set(place.name, await start(place));
  const installation = (place: Place): Installation => ({
    ...place,
    host: `127.0.0.1:${place.port}`,
    get: (path) => fetch(`http://127.0.0.1:${place.port}${path}`, { headers: { host: "shop.example" } }),
    async restart() {
      await controllers.get(place.name)?.detach();
      controllers.set(place.name, await start(place));
    },
  });
  const [shield, fra, lon] = places.map(installation);
  if (shield === undefined || fra === undefined || lon === undefined) throw new Error("edge site: too few");
  for (const one of [shield, fra, lon]) await until(() => isServing(one));
  return {
    fra,
    lon,
    shield,
    toShield,
    setVersion: (to) => void (version = to),
    originRequests: () => requests,
    async stop() {
      await Promise.all([...controllers.values()].map((controller) => controller.stopAll()));
      for (const { admin } of places) admin.stop();
      toShield.stop();
      await origin.stop(true);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

async function isServing(installation: Installation): Promise<boolean> {
  try {
    return (await installation.get(`/ready-${installation.name}`)).ok;
  } catch {
    return false; // not yet
  }
}

async function placeOf(name: Place["name"], folder: string): Promise<Place> {
  const adminPort = freePort();
  const admin = await Relay.start(adminPort);
  return { name, state: join(folder, name), port: freePort(), adminPort, admin };
}

function configOf(
  { name, port, adminPort }: Place,
  places: readonly Place[],
  next: string,
): ReturnType<typeof good> {
  const others = places.filter((place) => place.name !== name);
  return good({
    admin: { address: `127.0.0.1:${adminPort}` },
    gateway: { workers: 1, edge: name, cache: { memory: "8MiB" } },
    listeners: {
      web: { address: `127.0.0.1:${port}`, rules: [{ forward: "next", cache: { shield: name === "s1" } }] },
    },
    targetGroups: { next: { targets: [next], algorithm: "consistent-hash", on: "url" } },
    edges: Object.fromEntries(
      others.map((other) => [
        other.name,
        {
          admin: `http://127.0.0.1:${other.admin.port}`,
          tokenFile: join(other.state, "admin.token"),
          role: other.name === "s1" ? ("shield" as const) : ("edge" as const),
        },
      ]),
    ),
  });
}

function good(user: UserConfig): Parameters<typeof startController>[0]["config"] {
  const parsed = parseConfig(user, { folder: "/", cores: 1 });
  if (parsed.kind === "ok") return parsed.config;
  throw new Error(JSON.stringify(parsed.problems));
}
