/** What a router's settings say, for its console. */
import type { Address } from "../../config/index.ts";
import { POOL_DEFAULTS } from "../../database/index.ts";
import type { RouterSetup } from "../run-router.ts";
import type { ConsoleParts } from "./console.ts";

/** Clients at once, unless the setup says otherwise. */
export const CLIENTS_MAX = 10_000;

const LOGIN_TIMEOUT_MS = 60_000;

/** By PgBouncer's words where it has them. */
export function factsOf(setup: RouterSetup, listen: Address): ReturnType<ConsoleParts["facts"]> {
  const { cluster, clientTls, serverTls, users, adminUsers = [] } = setup;
  return {
    listen,
    primary: cluster.servers.find(({ name }) => cluster.state === "steady" && name === cluster.primary),
    pool: { ...POOL_DEFAULTS, ...setup.pool },
    clientsMax: setup.clientsMax ?? CLIENTS_MAX,
    loginTimeoutMs: setup.loginTimeoutMs ?? LOGIN_TIMEOUT_MS,
    authentication: setup.authentication ?? "scram",
    clientTls: clientTls === undefined ? "disable" : clientTls.mode === "allow" ? "allow" : "require",
    serverTls: serverTls?.mode ?? "disable",
    users: Object.keys(users ?? {}),
    adminUsers,
  };
}
