/** Members of a cluster on other machines: kept in its folder for commands, which see them beside the servers that are here. */
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Address } from "../config/index.ts";
import { AgentClient, type TlsSources } from "../database/io/index.ts";
import { readAgentTls } from "./agent-tls.ts";
import {
  type ClusterPasswords,
  hasPasswords,
  prepareClusterFolder,
  readPasswords,
} from "./cluster-folder.ts";
import { type FailoverMember, type FailoverOptions, memberToken } from "./database-failover.ts";
import { StartFailure } from "./start-failure.ts";

interface MembersFile {
  readonly members: readonly { readonly name: string; readonly agent: Address }[];
  readonly tls?: TlsSources;
}

const PRIVATE_FILE = 0o600;

/** Those whose agents have a port: they are on other machines. */
function elsewhere(failover: FailoverOptions | undefined): readonly FailoverMember[] {
  return (failover?.members ?? []).filter(({ agent }) => agent?.kind === "tcp");
}

/** Hosts of servers on other machines. */
export function hostsElsewhere(failover: FailoverOptions | undefined): readonly string[] {
  return [...new Set(elsewhere(failover).map(({ address }) => address.host))];
}

/** Writes down who is elsewhere, or that nobody is. */
export function keepMembers(folder: string, failover: FailoverOptions | undefined): void {
  const path = join(folder, "members.json");
  const members = elsewhere(failover).flatMap(({ name, agent }) =>
    agent?.kind === "tcp" ? [{ name, agent: { host: agent.host, port: agent.port } }] : [],
  );
  if (members.length === 0) return rmSync(path, { force: true });
  const tls = failover?.port?.tls;
  const file: MembersFile = { members, ...(tls === undefined ? {} : { tls }) };
  writeFileSync(path, `${JSON.stringify(file)}\n`, { mode: PRIVATE_FILE });
}

/** Who asks the agents on other machines, by their names. They answer as to a member. */
export function membersElsewhere(folder: string): ReadonlyMap<string, AgentClient> {
  const path = join(folder, "members.json");
  if (!existsSync(path)) return new Map();
  const { members, tls: files } = JSON.parse(readFileSync(path, "utf8")) as MembersFile;
  const tls = files && readAgentTls(files);
  const token = memberToken(readPasswords(folder));
  return new Map(
    members.map(({ name, agent }) => [name, new AgentClient({ kind: "tcp", ...agent }, token, tls)]),
  );
}

/** The same on all machines: one that draws its own could not log in to the others. Throws a `StartFailure`. */
export function passwordsFor(
  member: Beginner & {
    readonly name: string;
    readonly folder: string;
    /** The superuser's, of data that was there before. */
    readonly password?: string;
    readonly failover?: FailoverOptions;
  },
): ClusterPasswords {
  const { name, folder, failover, password } = member;
  if (failover?.port !== undefined && !isFirst(member) && !hasPasswords(folder)) {
    mkdirSync(folder, { recursive: true }); // so that the file can be copied there
    throw new StartFailure(
      `the database ${name} has no passwords of its cluster in ${folder}`,
      "copy cluster.json from the folder of the cluster's first server (scp -p), or make a cluster with --new",
    );
  }
  return prepareClusterFolder(folder, password === undefined ? {} : { superuser: password });
}

/** How a member's data begin. */
interface Beginner {
  /** It makes a new cluster when there is no data. */
  readonly create: boolean;
  /** A data directory that was there before. */
  readonly given?: string;
}

/** The cluster begins with its server. */
export function isFirst({ create, given }: Beginner): boolean {
  return create || given !== undefined;
}
