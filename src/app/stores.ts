/**
 * Stores in the config become services and environment: an embedded store is a service of one task, kept running like any
 * other, and every other service finds the URL of each store in TENFOLD_STORE_NAME_URL. Certificate authorities that tasks are to
 * trust are in one file, which Node and Bun find by NODE_EXTRA_CA_CERTS.
 */
import { randomBytes } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { isFor, readCa, readIdentity, TlsFileError } from "../base/io/index.ts";
import {
  type Address,
  type Config,
  DEFAULTS,
  EMBEDDED_STORE,
  formatAddress,
  type ServiceConfig,
  type StoreConfig,
} from "../config/index.ts";
import { groupOfService } from "./service-group.ts";
import { StartFailure } from "./start-failure.ts";

/** 192 bits: nobody guesses it, and it needs no escape in a URL. */
const PASSWORD_BYTES = 24;

/** What Node and Bun read CAs from, beside those of the system. */
const CA_VARIABLE = "NODE_EXTRA_CA_CERTS";

const PRIVATE_FOLDER = 0o700;
const PRIVATE_FILE = 0o600;

/** Reading its files may take a store a while: a million keys are about two seconds. */
const START_TIMEOUT_MS = 300_000;

/** From SIGTERM until its files are written and closed. */
const STOP_TIMEOUT_MS = 30_000;

/** A store goes when the last task that may write to it has. */
const STAGE = 1;

/** The config with a service for each embedded store, and the stores' URLs in the environment of the others. */
export function withStores(config: Config, stateDirectory: string): Config {
  if (config.stores.length === 0) return config;
  const folder = join(stateDirectory, "stores");
  mkdirSync(folder, { recursive: true, mode: PRIVATE_FOLDER });
  const embedded = config.stores.filter(({ url }) => url === EMBEDDED_STORE);
  const passwords = new Map(embedded.map(({ name }) => [name, passwordOf(folder, name)]));
  for (const store of embedded) checkCertificate(store);
  const env = {
    ...Object.fromEntries(
      config.stores.map((store) => [variableOf(store.name), urlOf(store, passwords.get(store.name) ?? "")]),
    ),
    ...trusted(config.stores, folder),
  };
  const services = config.services.map((service) => ({ ...service, env: { ...env, ...service.env } }));
  const own = embedded.map((store) => storeService(store, folder, passwords.get(store.name) ?? ""));
  return {
    ...config,
    services: [...own, ...services],
    targetGroups: [...config.targetGroups, ...own.map(groupOfService)],
  };
}

/** "shared" -> "TENFOLD_STORE_SHARED_URL". */
function variableOf(name: string): string {
  return `TENFOLD_STORE_${name.toUpperCase().replaceAll("-", "_")}_URL`;
}

function urlOf(store: StoreConfig, password: string): string {
  if (store.url !== EMBEDDED_STORE) return store.url;
  const scheme = store.tls === undefined ? "redis" : "rediss";
  const address = { ...store.address, host: hostOf(store) };
  return `${scheme}://default:${password}@${formatAddress(address)}`;
}

/** By what name tasks call an embedded store. */
function hostOf({ tls, address }: StoreConfig): string {
  return tls?.host ?? reachable(address).host;
}

/** Tasks would refuse a certificate for another name one by one: said once, before anything is started. */
function checkCertificate(store: StoreConfig): void {
  const { tls, name } = store;
  if (tls?.cert === undefined || tls.key === undefined) return;
  const host = hostOf(store);
  const path = `stores.${name}.tls`;
  try {
    const { cert } = readIdentity({ cert: tls.cert, key: tls.key, clientCa: tls.clientCa });
    if (isFor(cert, host)) return;
  } catch (problem) {
    if (!(problem instanceof TlsFileError)) throw problem;
    throw new StartFailure(
      `${path}: ${problem.message}`,
      "name a certificate and its key, both as PEM files",
    );
  }
  throw new StartFailure(
    `${path}: the certificate in ${tls.cert} is not for ${host}`,
    `say in ${path}.host which of its names tasks are to call the store by`,
  );
}

/** The variable by which runtimes find more CAs, those that this process was given included; nothing when no store has one. */
function trusted(stores: readonly StoreConfig[], folder: string): Record<string, string> {
  const paths = stores.flatMap(({ tls }) => tls?.ca ?? []);
  if (paths.length === 0) return {};
  const inherited = process.env[CA_VARIABLE];
  const path = join(folder, "ca.pem");
  const all = [...new Set([...paths, ...(inherited === undefined || inherited === path ? [] : [inherited])])];
  try {
    writeFileSync(path, all.map((file) => `${readCa(file).trim()}\n`).join(""));
  } catch (problem) {
    if (!(problem instanceof TlsFileError)) throw problem;
    throw new StartFailure(problem.message, "name a file of CA certificates in PEM");
  }
  return { [CA_VARIABLE]: path };
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
  const { cert, key, clientCa } = store.tls ?? {};
  const tls = cert === undefined ? [] : ["--tls", JSON.stringify({ cert, key, clientCa })];
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
      ...tls,
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
    stage: STAGE,
  };
}
