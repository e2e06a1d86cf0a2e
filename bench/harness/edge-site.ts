/** A site for the benches: edges, shields and an origin, each a real installation in its own processes, with distances between them. */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { PurgeResult, Status } from "../../src/app/index.ts";
import { Relay } from "../../src/gateway/testing/relay.ts";
import { launchListening, type Started } from "./process.ts";
import { freePort, until } from "./wait.ts";

const MAIN = join(import.meta.dirname, "../../src/cli/main.ts");

/** Where an installation is, before it runs. */
interface Place {
  readonly name: string;
  readonly role: "edge" | "shield";
  readonly port: number;
  readonly adminPort: number;
  readonly state: string;
  /** Round trip from the middle of the site, where shields and origin are. */
  readonly rttMs: number;
}

/** One that runs. */
export interface Installation extends Place {
  status(): Promise<Status>;
  purge(order: object): Promise<PurgeResult>;
  /** SIGKILL to its controller and its workers. */
  kill(): Promise<void>;
}

export interface EdgeSite {
  readonly edges: readonly Installation[];
  readonly shields: readonly Installation[];
}

/** What is to be built. */
export interface SitePlan {
  readonly folder: string;
  readonly originPort: number;
  /** Name of an edge -> its round trip to shields and origin, in ms. */
  readonly edges: Readonly<Record<string, number>>;
  readonly shields: readonly string[];
  /** Requests that an edge may have at the origin when there is no shield. */
  readonly fallbackMax: number;
}

/**
 * Starts it: everything below /direct/ goes to the origin at once, all else by the shields, by a plain ring, since of two each
 * may have all there is; below /bounded/ no shield may have more than 1.25 of its share.
 */
export async function startEdgeSite(plan: SitePlan): Promise<EdgeSite> {
  const { folder } = plan;
  const place = async (name: string, role: Place["role"], rttMs: number): Promise<Place> => {
    const state = join(folder, name);
    return { name, role, rttMs, state, port: freePort(), adminPort: freePort() };
  };
  const shields = await Promise.all(plan.shields.map((name) => place(name, "shield", 1)));
  const edges = await Promise.all(
    Object.entries(plan.edges).map(([name, rttMs]) => place(name, "edge", rttMs)),
  );
  const places = [...shields, ...edges];
  const started = new Map<string, Installation>();
  for (const at of places) started.set(at.name, await start(plan, at, places));
  const all = (some: readonly Place[]): Installation[] => some.flatMap(({ name }) => started.get(name) ?? []);
  for (const one of started.values()) await until(`${one.name} to be in step`, 30_000, () => isInStep(one));
  return { edges: all(edges), shields: all(shields) };
}

async function isInStep(one: Installation): Promise<boolean> {
  const { edges = [] } = (await one.status()).gateway;
  return edges.every(
    ({ lag, problem, acknowledged }) => lag === 0 && problem === "" && acknowledged !== null,
  );
}

/** The address of `port`, half of `rttMs` away. */
async function far(port: number, rttMs: number): Promise<string> {
  return (await Relay.start(port, rttMs / 2)).address;
}

async function start(plan: SitePlan, at: Place, places: readonly Place[]): Promise<Installation> {
  mkdirSync(at.state, { recursive: true });
  const path = join(at.state, "site.json");
  writeFileSync(path, JSON.stringify(await configOf(plan, at, places)));
  const argv = [process.execPath, MAIN, "up", "-c", path, "--state", at.state];
  const controller = await launchListening({ name: at.name, argv, folder: plan.folder }, at.adminPort);
  await launched(at);
  return {
    ...at,
    status: () => call(at, "GET", "/v1/status"),
    purge: (order) => call(at, "POST", "/v1/cache/purge", order),
    kill: () => kill(at, controller),
  };
}

async function launched(at: Place): Promise<void> {
  await until(`${at.name} to serve`, 20_000, async () => {
    const { workers } = (await call<Status>(at, "GET", "/v1/status")).gateway;
    return workers.length > 0 && workers.every(({ state }) => state === "serving");
  });
}

async function kill(at: Place, controller: Started): Promise<void> {
  const { workers } = (await call<Status>(at, "GET", "/v1/status")).gateway;
  process.kill(controller.pid, "SIGKILL");
  for (const { pid } of workers) process.kill(pid, "SIGKILL");
}

async function configOf(plan: SitePlan, at: Place, places: readonly Place[]): Promise<object> {
  const rtt = (to: Place): number => Math.max(at.rttMs, to.rttMs);
  const others = await Promise.all(
    places
      .filter(({ name }) => name !== at.name)
      .map(async (to) => [
        to.name,
        {
          role: to.role,
          admin: `http://${await far(to.adminPort, rtt(to))}`,
          tokenFile: join(to.state, "admin.token"),
        },
      ]),
  );
  const shields = places.filter(({ role }) => role === "shield");
  const origin = await far(plan.originPort, at.rttMs);
  // Each edge has a relay of its own to a shield: it is the name by which they agree on where an object lives.
  const toShields = await Promise.all(
    shields.map(async (to) => ({ name: to.name, address: await far(to.port, rtt(to)) })),
  );
  const isEdge = at.role === "edge";
  const shielding = (boundedLoad: number): object => ({
    targets: toShields,
    algorithm: "consistent-hash",
    on: "url",
    boundedLoad,
    health: { path: "/-/well", interval: "500ms", fall: 2 },
    fallback: { group: "origin", requestsMax: plan.fallbackMax },
  });
  return {
    admin: { address: `127.0.0.1:${at.adminPort}` },
    gateway: { workers: 1, edge: at.name, cache: { memory: "32MiB" } },
    listeners: {
      web: {
        address: `127.0.0.1:${at.port}`,
        rules: isEdge
          ? [
              { match: { path: "/direct/*" }, forward: "origin", cache: {} },
              { match: { path: "/bounded/*" }, forward: "bounded", cache: {} },
              { forward: "shields", cache: {} },
            ]
          : [
              { match: { path: "/-/well" }, respond: 204 },
              { forward: "origin", cache: { shield: true } },
            ],
      },
    },
    targetGroups: {
      origin: { targets: [origin] },
      ...(isEdge && { shields: shielding(2), bounded: shielding(1.25) }),
    },
    edges: Object.fromEntries(others),
  };
}

async function call<T>(at: Place, method: string, path: string, body?: object): Promise<T> {
  const token = readFileSync(join(at.state, "admin.token"), "utf8").trim();
  const response = await fetch(`http://127.0.0.1:${at.adminPort}${path}`, {
    method,
    headers: { authorization: `Bearer ${token}` },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  if (!response.ok) throw new Error(`${at.name}: ${path}: ${response.status} ${await response.text()}`);
  return (await response.json()) as T;
}
