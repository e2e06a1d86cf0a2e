/** What INFO says, section by section, in the form that Redis' tools read. */
import type { Store } from "../store.ts";
import { SERVER_VERSION } from "./connection.ts";

type Fields = Readonly<Record<string, string | number>>;

function server({ parts, startedMs }: Store): Fields {
  const upSeconds = Math.max(0, Math.floor((parts.clock.wallMs() - startedMs) / 1000));
  return {
    redis_version: SERVER_VERSION,
    server_name: "tenfold",
    redis_mode: "standalone",
    uptime_in_seconds: upSeconds,
    uptime_in_days: Math.floor(upSeconds / 86_400),
    ...parts.processInfo?.(),
  };
}

function clients({ sessions, waiting, tracking, settings }: Store): Fields {
  return {
    connected_clients: sessions.size,
    maxclients: settings.clientsMax,
    blocked_clients: waiting.clients,
    tracking_clients: tracking.clients,
  };
}

function memory(store: Store): Fields {
  const { usedBytes, ground, settings, parts } = store;
  const resident = Number(parts.processInfo?.()["process_resident_bytes"] ?? 0);
  return {
    used_memory: usedBytes,
    used_memory_human: `${(usedBytes / 1024 ** 2).toFixed(2)}M`,
    used_memory_rss: resident,
    used_memory_reserved: ground.slab.reservedBytes + ground.weight.bytes,
    maxmemory: settings.maxMemoryBytes,
    maxmemory_policy: settings.policy,
    mem_fragmentation_ratio: usedBytes > 0 ? (resident / usedBytes).toFixed(2) : "0.00",
    mem_allocator: "slab",
  };
}

function persistence({ log }: Store): Fields {
  return {
    loading: 0,
    async_loading: 0,
    aof_enabled: log === undefined ? 0 : 1,
    aof_rewrite_in_progress: log?.isRewriting === true ? 1 : 0,
    aof_last_write_status: log?.refusal === undefined ? "ok" : "err",
    aof_last_bgrewrite_status: log?.lastRewriteFailed === true ? "err" : "ok",
    aof_current_size: log?.bytes ?? 0,
    aof_base_size: log?.baseBytes ?? 0,
  };
}

function stats(store: Store): Fields {
  return {
    total_connections_received: store.connections,
    total_commands_processed: store.processed,
    total_error_replies: store.errors,
    keyspace_hits: store.hits,
    keyspace_misses: store.misses,
    expired_keys: store.expired,
    evicted_keys: store.evicted,
    pubsub_channels: store.channels.names("channels").length,
    pubsub_patterns: store.channels.names("patterns").length,
    tracking_total_keys: store.tracking.keys,
  };
}

function keyspace({ spaces }: Store): Fields {
  const filled = spaces.filter(({ size }) => size > 0);
  return Object.fromEntries(
    filled.map(({ index, size, dict }) => [`db${index}`, `keys=${size},expires=${dict.expiring},avg_ttl=0`]),
  );
}

/** Section -> its fields. */
const SECTIONS: Readonly<Record<string, (store: Store) => Fields>> = {
  server,
  clients,
  memory,
  persistence,
  stats,
  cpu: ({ parts }) => parts.processTimes?.() ?? {},
  replication: () => ({ role: "master", connected_slaves: 0, master_repl_offset: 0 }),
  cluster: () => ({ cluster_enabled: 0 }),
  keyspace,
};

/** The text of these sections; all when none is named. */
export function infoText(store: Store, asked: readonly string[]): string {
  const isAll = asked.length === 0 || asked.some((name) => ["all", "default", "everything"].includes(name));
  const sections = Object.entries(SECTIONS).filter(([name]) => isAll || asked.includes(name));
  const lines = sections.map(([name, fields]) => {
    const rows = Object.entries(fields(store)).map(([field, value]) => `${field}:${value}\r\n`);
    return `# ${name[0]?.toUpperCase()}${name.slice(1)}\r\n${rows.join("")}`;
  });
  return lines.join("\r\n");
}
