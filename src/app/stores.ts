/**
 * Stores in the config become services and environment: an embedded store is a service of one task, kept running like any
 * other, and every other service finds the URL of each store in TENFOLD_STORE_NAME_URL.
 */
import { randomBytes } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import {
  type Address,
  type Config,
  DEFAULTS,
  EMBEDDED_STORE,
  formatAddress,
  type ServiceConfig,
  type StoreConfig,
  type TargetGroupConfig,
} from "../config/index.ts";

/** 192 bits: nobody guesses it, and it needs no escape in a URL. */
const PASSWORD_BYTES = 24;

const PRIVATE_FOLDER = 0o700;
const PRIVATE_FILE = 0o600;

/** Reading its files may take a store a while: a million keys are about two seconds. */
const START_TIMEOUT_MS = 300_000;

/** From SIGTERM until its files are written and closed. */
const STOP_TIMEOUT_MS = 30_000;

/** The config with a service for each embedded store, and the stores' URLs in the environment of the others. */
export function withStores(config: Config, stateDirectory: string): Config {
  if (config.stores.length === 0) return config;
  const folder = join(stateDirectory, "stores");
  mkdirSync(folder, { recursive: true, mode: PRIVATE_FOLDER });
  const embedded = config.stores.filter(({ url }) => url === EMBEDDED_STORE);
  const passwords = new Map(embedded.map(({ name }) => [name, passwordOf(folder, name)]));
  const env = Object.fromEntries(
    config.stores.map((store) => [variableOf(store.name), urlOf(store, passwords.get(store.name) ?? "")]),
  );
  const services = config.services.map((service) => ({ ...service, env: { ...env, ...service.env } }));
  return {
    ...config,
    services: [
      ...embedded.map((store) => storeService(store, folder, passwords.get(store.name) ?? "")),
      ...services,
    ],
    targetGroups: [...config.targetGroups, ...embedded.map(({ name }) => storeGroup(name))],
  };
}

/** "shared" -> "TENFOLD_STORE_SHARED_URL". */
export function variableOf(name: string): string {
  return `TENFOLD_STORE_${name.toUpperCase().replaceAll("-", "_")}_URL`;
}

function urlOf({ url, address }: StoreConfig, password: string): string {
  return url === EMBEDDED_STORE ? `redis://default:${password}@${formatAddress(reachable(address))}` : url;
}

/** Where tasks of this machine find what listens there. */
function reachable(address: Address): Address {
  if (address.host === "0.0.0.0") return { ...address, host: "127.0.0.1" };
  return address.host === "::" ? { ...address, host: "::1" } : address;
}

/** Drawn at the first start and kept. */
function passwordOf(folder: string, name: string): string {
  const path = join(folder, `${name}.password`);
  if (existsSync(path)) return readFileSync(path, "utf8").trim();
  const password = randomBytes(PASSWORD_BYTES).toString("base64url");
  writeFileSync(path, `${password}\n`, { mode: PRIVATE_FILE });
  return password;
}

/** The name of the service that runs a store; no two stores may hold its port or its files, so the old one ends first. */
function storeService(store: StoreConfig, folder: string, password: string): ServiceConfig {
  const { name, address, memoryBytes, eviction, fsync } = store;
  const program = fileURLToPath(new URL("./store-server.ts", import.meta.url));
  const settings = { maxMemoryBytes: memoryBytes, policy: eviction, ...(fsync === "off" ? {} : { fsync }) };
  const data = fsync === "off" ? [] : ["--data", join(folder, name)];
  return {
    name: `store-${name}`,
    command: [
      process.execPath,
      program,
      "--address",
      formatAddress(address),
      ...data,
      "--settings",
      JSON.stringify(settings),
    ],
    cwd: folder,
    env: { TENFOLD_STORE_PASSWORD: password },
    tasks: 1,
    targetGroup: `store-${name}`,
    health: { kind: "tcp", ...DEFAULTS.health },
    startTimeoutMs: START_TIMEOUT_MS,
    drainTimeoutMs: 0,
    stopTimeoutMs: STOP_TIMEOUT_MS,
    deploy: { minHealthyPercent: 0, maxPercent: 100, rollback: false },
    limits: {},
  };
}

function storeGroup(name: string): TargetGroupConfig {
  return {
    name: `store-${name}`,
    ...DEFAULTS.group,
    algorithm: DEFAULTS.algorithm,
    hashKey: DEFAULTS.hashKey,
    ejection: DEFAULTS.ejection,
    retryBudget: DEFAULTS.retryBudget,
    connections: DEFAULTS.connections,
    targets: [],
    service: `store-${name}`,
    health: { kind: "tcp", ...DEFAULTS.health },
  };
}
