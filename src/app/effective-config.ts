/** What a controller works by: the config of the file, what the command line says in place of it, and what tenfold runs for apps as services. */
import type { Config, Problem } from "../config/index.ts";
import { withDatabases } from "./databases/services.ts";
import { StartFailure } from "./start-failure.ts";
import { withStores } from "./stores.ts";

/** `workers`: gateway workers in place of the config's number. Throws a `StartFailure`. */
export async function effectiveConfig(
  config: Config,
  workers: number | undefined,
  stateDirectory: string,
): Promise<Config> {
  const own = workers === undefined ? config : { ...config, gateway: { ...config.gateway, workers } };
  return withDatabases(withStores(own, stateDirectory), stateDirectory);
}

/** The same for a config that is to replace another one: what a start would fail for is a problem of the file. */
export async function tryEffectiveConfig(
  ...asked: Parameters<typeof effectiveConfig>
): Promise<Config | Problem> {
  try {
    return await effectiveConfig(...asked);
  } catch (failure) {
    if (failure instanceof StartFailure) return { path: "config", what: failure.message, mend: failure.mend };
    throw failure;
  }
}
