/** Composition of an agent's failover: its members, its store, its peers. */
import { createHmac } from "node:crypto";
import { join } from "node:path";
import { isLoopback } from "../base/index.ts";
import { type TlsIdentity } from "../base/io/index.ts";
import { type Address, formatAddress } from "../config/index.ts";
import {
  DEFAULT_FAILOVER,
  type Durability,
  type FailoverSettings,
  LAG_BYTES_MAX,
  type Member,
  settingsProblem,
} from "../database/index.ts";
import {
  type AgentAddress,
  type Driven,
  FailoverDriver,
  openLeaseStore,
  peersAt,
  type TlsSources,
} from "../database/io/index.ts";
import { readAgentTls } from "./agent-tls.ts";
import { agentAddress, type ClusterPasswords } from "./cluster-folder.ts";
import { StartFailure } from "./start-failure.ts";

/** One server of a cluster with failover, or its witness. */
export interface FailoverMember {
  readonly name: string;
  /** A witness has the log and no data; it counts for the quorum and is never promoted. Default "data". */
  readonly kind?: Member["kind"];
  /** Where its Postgres listens, as the other servers reach it; of a witness, where they take its log from. */
  readonly address: Address;
  /** Where its agent is asked; default: its socket in the cluster's folder on this machine. */
  readonly agent?: AgentAddress;
  /**
   * Its data directory where this machine can read it; default: in the cluster's folder, when its agent is there too. null: it
   * cannot be read here; copies go over the network then, and what a dead primary alone had stays on its disk.
   */
  readonly data?: string | null;
  /** The higher one is promoted among equals, default 1; 0 = never. */
  readonly priority?: number;
}

/**
 * Failover of a cluster; the same for all its agents. In `databases` of a config this is what `mode`, `lease` and the servers'
 * addresses come to.
 */
export interface FailoverOptions {
  /** The cluster's name: of its key in etcd. */
  readonly cluster: string;
  /** "etcd://host:2379,…", or "file:PATH" for servers of one machine. */
  readonly store: string;
  /** All servers, this one too. */
  readonly members: readonly FailoverMember[];
  /** "async" (default): a commit is on the primary's disk. "quorum": on that of `count` replicas, too. */
  readonly mode?: "async" | "quorum";
  /** Replicas that must have a commit in quorum mode, default 1. */
  readonly count?: number;
  /** With fewer replicas at hand commits wait, rather than go on unprotected. Default true. */
  readonly strict?: boolean;
  /** Async: a failover that would lose more than this does not happen by itself. Default 1 MiB. */
  readonly lagBytesMax?: number;
  /** A primary that is silent for this long is replaced, default 5 s. The other times keep their proportions to it. */
  readonly ttlMs?: number;
  /** Default: none, all members are on this machine. */
  readonly port?: AgentPort;
  /** What members ask each other with; default: derived from the cluster's passwords, which are the same everywhere. */
  readonly token?: string;
}

/** Where members on other machines ask an agent. */
export interface AgentPort {
  readonly address: Address;
  /** This machine's certificate and key, and the CA of all members'; agents and servers speak TLS to each other then. */
  readonly tls?: TlsSources;
  /** Beyond loopback without TLS, too: whoever listens on the way may take part in votes. */
  readonly insecure?: boolean;
}

/** Failover that is ready to begin. */
export interface ComposedFailover<Server extends Driven = Driven> {
  readonly driver: FailoverDriver;
  readonly driven: Server;
  readonly token: string;
  readonly port: { readonly address: Address; readonly tls: TlsIdentity | undefined } | undefined;
}

/** The times that go with a lease of `ttlMs`. */
export function failoverSettings(options: Omit<FailoverOptions, "members">): FailoverSettings {
  const { mode = "async", count = 1, strict = true, lagBytesMax = LAG_BYTES_MAX } = options;
  const durability: Durability =
    mode === "async" ? { kind: "async", lagBytesMax } : { kind: "quorum", count, strict, lagBytesMax };
  const { ttlMs, renewMs, marginMs, pollMs } = DEFAULT_FAILOVER;
  const scale = (options.ttlMs ?? ttlMs) / ttlMs;
  const settings = {
    ...DEFAULT_FAILOVER,
    ttlMs: ttlMs * scale,
    renewMs: renewMs * scale,
    marginMs: marginMs * scale,
    pollMs: pollMs * scale,
    durability,
  };
  const problem = settingsProblem(settings);
  if (problem !== undefined) throw new StartFailure(problem, "");
  return settings;
}

/** Puts the failover of what `drive` makes together. Throws a `StartFailure`. */
export function composeFailover<Server extends Driven>(
  options: FailoverOptions,
  drive: (members: readonly Member[]) => Server,
  cluster: {
    readonly folder: string;
    readonly passwords: ClusterPasswords;
    /** It makes the cluster when there is none. */
    readonly isFirst: boolean;
  },
): ComposedFailover<Server> {
  const { folder, passwords, isFirst } = cluster;
  const settings = failoverSettings(options);
  const token = options.token ?? memberToken(passwords);
  const port = options.port && openedPort(options.port);
  const addresses = new Map(
    options.members.map(({ name, agent: address }) => [name, address ?? agentAddress(folder, name)]),
  );
  try {
    const { cluster: name, store: url } = options;
    const store = openLeaseStore({ url, cluster: name, ttlMs: settings.ttlMs });
    const members = options.members.map((member) => memberOf(member, folder));
    const peers = peersAt(addresses, token, port?.tls);
    const driven = drive(members);
    const driver = new FailoverDriver({ driven, store, members, settings, peers, isFirst });
    return { driver, driven, token, port };
  } catch (problem) {
    throw new StartFailure(`the failover of ${options.cluster}: ${String(problem)}`, "");
  }
}

function memberOf(member: FailoverMember, folder: string): Member {
  const { name, address, kind = "data", priority = 1 } = member;
  const { host, port } = address;
  return { name, host, port, kind, priority, data: kind === "data" ? dataOf(member, folder) : undefined };
}

function dataOf({ name, agent, data }: FailoverMember, folder: string): string | undefined {
  const isHere = agent === undefined || agent.kind === "unix";
  return data === undefined && isHere ? join(folder, name, "data") : (data ?? undefined);
}

/** What is opened there. Throws a `StartFailure` when that would not be safe, or a file cannot be used. */
export function openedPort({
  address,
  tls,
  insecure = false,
}: AgentPort): NonNullable<ComposedFailover["port"]> {
  if (tls === undefined && !insecure && !isLoopback(address.host))
    throw new StartFailure(
      `the agent's port ${formatAddress(address)} can be reached from other machines, and has no TLS`,
      "give it a certificate (--tls-cert, --tls-key, --tls-ca), or say --insecure-agents where nobody else is on the network",
    );
  return { address, tls: tls === undefined ? undefined : readAgentTls(tls) };
}

/** Members have the cluster's passwords; so they have this without another file, and nobody learns a password by it. */
export function memberToken({ superuser, replication }: ClusterPasswords): string {
  return createHmac("sha256", `${superuser} ${replication}`)
    .update("tenfold: questions between agents")
    .digest("base64url");
}
