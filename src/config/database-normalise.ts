/** From draft to `DatabaseConfig`: defaults filled in, paths absolute. */
import type { DatabaseConfig } from "./database.ts";
import type { DatabaseDraft } from "./database-schema.ts";
import { DEFAULTS } from "./defaults.ts";
import { resolvePath } from "./resolve-path.ts";

/** `folder`: that of the config file. */
export function normaliseDatabase(name: string, draft: DatabaseDraft, folder: string): DatabaseConfig {
  const { engine: _, replicas = 0, pool, lease, settings, ...plain } = draft;
  const paths = (["folder", "postgres", "backups"] as const).flatMap((key) => {
    const path = draft[key];
    return path === undefined ? [] : [[key, resolvePath(folder, path)] as const];
  });
  return {
    name,
    ...DEFAULTS.database,
    ...plain,
    ...Object.fromEntries(paths),
    replicas: typeof replicas === "number" ? replicas : 0,
    replicaUrls: typeof replicas === "number" ? [] : replicas,
    pool: { ...DEFAULTS.database.pool, ...pool },
    lease: { ...DEFAULTS.database.lease, ...lease },
    settings: Object.fromEntries(settings ?? []),
    appFolder: folder,
  };
}
