/** Composition root of a witness and its agent, which are one process. Reads as a parts list. */
import { mkdirSync } from "node:fs";
import { join, resolve } from "node:path";
import { type Log, systemClock, systemScheduler } from "../base/index.ts";
import { type Address, formatAddress } from "../config/index.ts";
import { acquireLock } from "../control/io/index.ts";
import { type AgentFacts, type Order, REPLICATION_ROLE } from "../database/index.ts";
import { WalWitness, WitnessMember } from "../database/io/index.ts";
import { openDoors } from "./agent-doors.ts";
import { keepMembers, passwordsFor } from "./cluster-members.ts";
import { composeFailover, type FailoverOptions } from "./database-failover.ts";
import { StartFailure } from "./start-failure.ts";

/** What to start. */
export interface DatabaseWitnessOptions {
  readonly kind: "witness";
  /** Its name in its cluster: "witness". */
  readonly name: string;
  /** The cluster's folder, where the passwords are. */
  readonly folder: string;
  /** Where servers take its log from. */
  readonly address: Address;
  readonly failover: FailoverOptions;
  /** Segments of 16 MiB that it keeps, default 64. */
  readonly keepSegments?: number;
  readonly log: Log;
}

/** A witness that runs in this process. */
export interface RunningDatabaseWitness {
  readonly agent: { facts(): AgentFacts };
  stop(): Promise<void>;
  /** The same: nothing of it goes on without its agent. */
  leave(): Promise<void>;
}

/** The log is what users wrote. */
const PRIVATE_FOLDER = 0o700;

/** Starts a witness and its agent. Throws a `StartFailure` that names the thing and the mend. */
export async function runDatabaseWitness(options: DatabaseWitnessOptions): Promise<RunningDatabaseWitness> {
  const { name, address, failover, keepSegments, log } = options;
  const cluster = resolve(options.folder);
  const passwords = passwordsFor({ name, folder: cluster, create: false, failover });
  const folder = join(cluster, name);
  mkdirSync(folder, { recursive: true, mode: PRIVATE_FOLDER });
  const lock = acquireLock(join(cluster, "locks", name));
  if (lock.kind === "refused")
    throw new StartFailure(`the witness ${name} runs already (pid ${lock.pid})`, "stop that one first");
  const time = { clock: systemClock, scheduler: systemScheduler };
  const password = passwords.replication;
  const witness = await WalWitness.start({
    name,
    folder,
    listen: address,
    user: REPLICATION_ROLE,
    password,
    ...(keepSegments === undefined ? {} : { keepSegments }),
    ...time,
    log,
  }).catch((problem: unknown) => {
    throw new StartFailure(
      `the witness ${name} cannot start at ${formatAddress(address)}: ${String(problem)}`,
      "free the address and the folder",
    );
  });
  const composed = composeFailover(
    failover,
    (members) => new WitnessMember({ name, witness, members, folder, password, ...time, log }),
    { folder: cluster, passwords, isFirst: false },
  );
  const { driver, driven } = composed;
  const agent = {
    facts: () => driven.report(),
    look: () => Promise.resolve(), // it is asked each time
    order: (order: Order) => driver.order(order),
  };
  keepMembers(cluster, failover);
  const doors = openDoors(name, agent, composed, { folder: cluster, log });
  driver.start();
  const stop = async (): Promise<void> => {
    driver.leave();
    await witness.stop();
    await doors.stop();
    lock.release();
  };
  return { agent, stop, leave: stop };
}
