/** The agents of a cluster's folder, as commands see them: who is there, who is primary, and orders that must succeed. */
import { resolve } from "node:path";
import { type AskedServer, askAgents, readPlaces } from "../../app/index.ts";
import type { AgentFacts, Order, OrderOutcome, ServerSource } from "../../database/index.ts";
import { Failure, Refused, UsageError } from "../failure.ts";
import { findStateDirectory, STATE_FOLDER } from "../state-directory.ts";

/** A server of the cluster; `facts` is missing when its agent does not answer. */
export type Member = AskedServer;

/** An agent answers from memory; one that has to ask its server takes the time of one query. */
const FACTS_TIMEOUT_MS = 6_000;

/** The folder that is named, that of a database of `tenfold up`, or the one of `tenfold db serve`. */
export function clusterFolder(cwd: string, folder: string | undefined, database: string | undefined): string {
  if (folder !== undefined) return resolve(cwd, folder);
  const places = readPlaces(stateDirectoryOr(cwd));
  const names = Object.keys(places);
  const [only, another] = names;
  if (database === undefined && another !== undefined)
    throw new UsageError("there are several databases", `write --database with one of ${names.join(", ")}`);
  const place = places[database ?? only ?? ""];
  if (place !== undefined) return place.folder;
  if (database === undefined) return resolve(cwd, STATE_FOLDER, "database");
  throw new UsageError(`there is no database "${database}"`, `there are ${names.join(", ") || "none"}`);
}

/**
 * A cluster and a database in it. That of `tenfold up` has the database's name; in a folder, and in the one of `tenfold db serve`, it is
 * the one that is named, else the one that the config has in that folder, else "postgres".
 */
export function clusterDatabase(
  cwd: string,
  folder: string | undefined,
  database: string | undefined,
): { readonly folder: string; readonly name: string } {
  const [only] = Object.keys(readPlaces(stateDirectoryOr(cwd)));
  if (folder === undefined && only !== undefined)
    return { folder: clusterFolder(cwd, undefined, database), name: database ?? only };
  const found = clusterFolder(cwd, folder, undefined);
  return { folder: found, name: database ?? databaseIn(cwd, found) ?? SYSTEM_DATABASE };
}

/** Every cluster has it. */
const SYSTEM_DATABASE = "postgres";

/** The name of the config's database whose cluster is in `folder`: that is what it is called on its server, too. */
function databaseIn(cwd: string, folder: string): string | undefined {
  return Object.entries(readPlaces(stateDirectoryOr(cwd))).find(([, place]) => place.folder === folder)?.[0];
}

function stateDirectoryOr(cwd: string): string {
  try {
    return findStateDirectory(cwd, undefined);
  } catch (problem) {
    if (problem instanceof Failure) return resolve(cwd, STATE_FOLDER);
    throw problem;
  }
}

/** Asks all agents at once, and they their servers. Throws when there is no server in the folder. */
export async function membersIn(folder: string): Promise<Member[]> {
  const members = await askAgents(folder, FACTS_TIMEOUT_MS, true);
  if (members.length > 0) return members;
  throw new Failure(`there is no database in ${folder}`, "start one: tenfold db serve db1 --new");
}

/** A member whose agent answers. */
export type LivingMember = Member & { readonly facts: AgentFacts };

/** Finds a server whose agent answers; throws what is wrong otherwise. */
export function memberNamed(members: readonly Member[], name: string): LivingMember {
  const member = members.find((one) => one.name === name);
  if (member === undefined)
    throw new Failure(`there is no server ${name}`, `there are ${members.map((one) => one.name).join(", ")}`);
  if (member.facts === undefined)
    throw new Failure(`the agent of ${name} does not answer`, `start it: tenfold db serve ${name}`);
  return { ...member, facts: member.facts };
}

/** The server that takes writes; where a lease decides, whoever holds it. */
export function primaryOf(members: readonly Member[]): LivingMember | undefined {
  const primary = members.find(
    ({ facts }) =>
      facts?.view?.role === "primary" && (facts.failover === null || facts.failover.role === "leader"),
  );
  return primary?.facts === undefined ? undefined : { ...primary, facts: primary.facts };
}

/** The primary, for what cannot be done without one. */
export function needPrimary(members: readonly Member[]): LivingMember {
  const primary = primaryOf(members);
  if (primary !== undefined) return primary;
  throw new Failure("there is no primary", "promote a replica: tenfold db promote NAME");
}

/** The highest term that any of them has seen. */
export function latestTerm(members: readonly Member[]): number {
  return Math.max(0, ...members.map(({ facts }) => facts?.term ?? 0));
}

/** A member as the source of a copy. */
export function sourceOf({ name, facts, isHere }: LivingMember): ServerSource {
  const { host, port, data } = facts;
  return { name, host, port, ...(isHere ? { data } : {}) };
}

/** Gives an order and waits; throws what the agent answers when it is not carried out. */
export async function carryOut(
  member: Member,
  order: Order,
): Promise<Extract<OrderOutcome, { kind: "done" }>["detail"]> {
  const outcome = await member.client.order(order).catch((problem: unknown) => {
    throw new Failure(`the agent of ${member.name} was lost: ${String(problem)}`, "see `tenfold db status`");
  });
  if (outcome.kind === "done") return outcome.detail;
  throw new Refused(outcome.reason, `${member.name}: ${outcome.message}`, "");
}
