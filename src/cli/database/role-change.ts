/**
 * Moving the primary by hand. Where a lease decides who is primary a command only asks for it; without one the order of steps is
 * that of an operator: nobody is promoted while another one may still take writes.
 */
import { slotName } from "../../database/index.ts";
import { Failure, Refused } from "../failure.ts";
import {
  carryOut,
  type LivingMember,
  latestTerm,
  type Member,
  memberNamed,
  primaryOf,
  sourceOf,
} from "./cluster.ts";

/** What happened, for people; the last step may have been hours ago when the first is printed. */
export type Say = (line: string) => void;

/** Hands over to `name` with nothing lost: the old primary stops in order, and follows. */
export async function switchOver(members: readonly Member[], name: string, say: Say): Promise<void> {
  const target = memberNamed(members, name);
  const primary = primaryOf(members);
  if (primary?.name !== name && isLeased(members)) return askFor(members, target.name, say);
  if (primary === undefined)
    throw new Failure("there is no primary to take over from", `promote instead: tenfold db promote ${name}`);
  if (primary.name === name) throw new Failure(`${name} is the primary already`, "nothing is to be done");
  refuseLeased(members);
  const isFed = primary.facts.view?.replicas.some(
    (replica) => replica.name === name && replica.state === "streaming",
  );
  if (isFed !== true)
    throw new Failure(
      `${name} does not stream from ${primary.name}`,
      `mend it first: tenfold db reclone ${name}`,
    );
  await carryOut(primary, { kind: "stop", mode: "fast" });
  say(`${primary.name} stopped, all it had was sent`);
  const term = await makePrimary(members, target, say);
  await carryOut(primary, { kind: "rejoin", term, source: sourceOf(target) });
  say(`${primary.name} follows ${name}`);
}

/** Promotes after a loss: takes what the dead ones have on their disks first, then brings back who can be. */
export async function promote(
  members: readonly Member[],
  name: string,
  isForced: boolean,
  say: Say,
): Promise<void> {
  const target = memberNamed(members, name);
  const primary = primaryOf(members);
  if (primary !== undefined && primary.name !== name)
    throw new Failure(`${primary.name} is primary and runs`, `hand over: tenfold db switchover ${name}`);
  if (isLeased(members)) return force(target, isForced, say);
  refuseLeased(members);
  const silent = members.filter(({ facts }) => facts === undefined).map((member) => member.name);
  if (silent.length > 0 && !isForced)
    throw new Failure(
      `${silent.join(", ")} may still take writes: no agent answers there`,
      "start the agents, or make sure and add --force",
    );
  for (const dead of others(members, name))
    if (dead.facts.view === null && dead.facts.stopped !== null) await drain(target, dead, say);
  await makePrimary(members, target, say);
}

async function drain(target: LivingMember, dead: LivingMember, say: Say): Promise<void> {
  await carryOut(dead, { kind: "freeze" });
  const { bytes, commits } = await carryOut(target, { kind: "drain", data: dead.facts.data });
  say(`${target.name} took ${bytes} bytes with ${commits} commits from the log of ${dead.name}`);
}

async function makePrimary(members: readonly Member[], target: LivingMember, say: Say): Promise<number> {
  const term = latestTerm(members) + 1;
  const { timeline } = await carryOut(target, { kind: "promote", term });
  say(`${target.name} is primary of term ${term}, timeline ${timeline}`);
  const rest = others(members, target.name);
  await carryOut(target, { kind: "slots", servers: rest.map((member) => member.name) });
  for (const replica of rest) {
    if (replica.facts.view?.role !== "replica") continue;
    const upstream = { host: target.facts.host, port: target.facts.port, slot: slotName(replica.name) };
    await carryOut(replica, { kind: "follow", term, upstream });
    say(`${replica.name} follows ${target.name}`);
  }
  return term;
}

function others(members: readonly Member[], name: string): LivingMember[] {
  return members.flatMap((member) =>
    member.name === name || member.facts === undefined ? [] : [{ ...member, facts: member.facts }],
  );
}

/** Whether a lease decides who is primary. */
function isLeased(members: readonly Member[]): boolean {
  return members.some(({ facts }) => facts !== undefined && facts.failover !== null);
}

async function askFor(members: readonly Member[], name: string, say: Say): Promise<void> {
  const leader = members.find(({ facts }) => facts?.failover?.role === "leader");
  if (leader === undefined)
    throw new Failure(
      "nobody holds the lease",
      "wait for the failover: tenfold db status says how it stands",
    );
  const outcome = await leader.client.switchover(name).catch((problem: unknown) => {
    throw new Failure(`the agent of ${leader.name} was lost: ${String(problem)}`, "see `tenfold db status`");
  });
  if (outcome.kind === "refused")
    throw new Refused(outcome.reason, `${leader.name} does not hand over to ${name}: ${outcome.reason}`, "");
  say(`${name} is primary, after ${outcome.tookMs} ms`);
}

/** An agent writes one record. */
const FORCE_TIMEOUT_MS = 10_000;

/** What nobody may decide but an operator: go on without what the others may have. */
async function force({ name, client }: Member, isForced: boolean, say: Say): Promise<void> {
  if (!isForced)
    throw new Failure(
      "a lease decides who is primary, and nobody may be promoted by it now",
      `tenfold db status says why; to go on whatever is lost: tenfold db promote ${name} --force`,
    );
  const problem = await client.force(FORCE_TIMEOUT_MS).catch((reason: unknown) => String(reason));
  if (problem !== null)
    throw new Failure(`${name} cannot be promoted: ${problem}`, "see `tenfold db status`");
  say(`${name} may be promoted, whatever is lost: tenfold db status says when it is`);
}

function refuseLeased(members: readonly Member[]): void {
  const leased = members.find(({ facts }) => facts !== undefined && facts.leaseLeftMs !== null);
  if (leased !== undefined)
    throw new Failure(
      `${leased.name} holds a lease: its controller decides who is primary`,
      "ask the controller, or stop it first",
    );
}
