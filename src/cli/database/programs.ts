/** What is run for a database: an agent until it is stopped, psql for whoever sits there. */
import { spawn } from "node:child_process";
import { resolve } from "node:path";
import {
  type FailoverOptions,
  readPasswords,
  runDatabaseAgent,
  runDatabaseWitness,
} from "../../app/index.ts";
import { createLog } from "../../base/index.ts";
import { type Address, formatAddress } from "../../config/index.ts";
import type { Context } from "../context.ts";
import { asFailure } from "../controller.ts";
import { EXIT, Failure } from "../failure.ts";
import { type LivingMember, latestTerm, type Member, needPrimary, sourceOf } from "./cluster.ts";

/** What is served. */
export interface Served {
  readonly name: string;
  readonly folder: string;
  readonly address: Address;
  readonly create: boolean;
  readonly postgres: string | undefined;
  readonly user: string | undefined;
  readonly backups: string | undefined;
  readonly failover: FailoverOptions | undefined;
  /** A data directory that was there before. */
  readonly given: string | undefined;
  /** Networks whose clients may connect. */
  readonly clients: readonly string[];
}

/** Runs a server and its agent in the foreground. */
export async function serveDatabase(
  served: Served,
  context: Context,
  others: () => Promise<readonly Member[]>,
): Promise<number> {
  const { terminal, clock, env } = context;
  const ended = untilSignal(context); // from here on: a signal during the start counts too
  let end: "stop" | "leave" = "stop";
  const { name, folder, address, create, postgres, user, backups, failover, clients, given } = served;
  const running = await runDatabaseAgent({
    name,
    folder,
    address,
    create,
    clients,
    ...(given === undefined ? {} : { given }),
    ...(given === undefined || env["PGPASSWORD"] === undefined ? {} : { password: env["PGPASSWORD"] }),
    ...(postgres === undefined ? {} : { postgres }),
    ...(user === undefined ? {} : { user }),
    ...(backups === undefined ? {} : { backups }),
    ...(failover === undefined ? {} : { failover }),
    log: createLog({ clock, level: "warn", write: (line) => terminal.err(line.trimEnd()) }),
  }).catch((problem: unknown) => {
    throw asFailure(problem);
  });
  try {
    if (failover === undefined && running.agent.facts().state === "absent") {
      const members = await others();
      const primary = needPrimary(members);
      const outcome = await running.agent.order({
        kind: "reclone",
        term: latestTerm(members),
        source: sourceOf(primary),
      });
      if (outcome.kind === "refused") throw new Failure(`${name} cannot be cloned: ${outcome.message}`, "");
      terminal.out(`cloned ${primary.name}`);
    }
    const { problem } = running.agent.facts();
    if (problem !== null) terminal.err(problem);
    terminal.out(`database ${name} at postgres://postgres@${formatAddress(address)}/postgres`);
    end = await ended;
  } finally {
    await running[end]();
  }
  return EXIT.ok;
}

/** Runs a witness and its agent in the foreground. */
export async function serveWitness(
  served: Pick<Served, "name" | "folder" | "address"> & { readonly failover: FailoverOptions },
  context: Context,
): Promise<number> {
  const { terminal, clock } = context;
  const ended = untilSignal(context);
  const log = createLog({ clock, level: "warn", write: (line) => terminal.err(line.trimEnd()) });
  const running = await runDatabaseWitness({ kind: "witness", ...served, log }).catch((problem: unknown) => {
    throw asFailure(problem);
  });
  try {
    terminal.out(`witness ${served.name} at ${formatAddress(served.address)}`);
    await ended;
  } finally {
    await running.stop();
  }
  return EXIT.ok;
}

/** SIGHUP ends the agent alone, as with those of a config. */
function untilSignal({ onSignal }: Context): Promise<"stop" | "leave"> {
  return new Promise((done) => {
    for (const name of ["SIGINT", "SIGTERM"] as const) onSignal(name, () => done("stop"));
    onSignal("SIGHUP", () => done("leave"));
  });
}

/** Runs psql as the superuser, with its password in the environment and nowhere else. */
export function psql(member: LivingMember, folder: string, args: readonly string[]): Promise<number> {
  const { superuser } = readPasswords(resolve(folder));
  const env = { ...process.env, PGPASSWORD: superuser };
  const to = ["-h", member.facts.host, "-p", String(member.facts.port), "-U", "postgres", ...args];
  return new Promise((done, fail) => {
    const child = spawn("psql", to, { stdio: "inherit", env });
    child.once("error", () =>
      fail(
        new Failure(
          "psql is not on the path",
          "install it (apt install postgresql-client), or use any other client",
        ),
      ),
    );
    child.once("exit", (code) => done(code ?? EXIT.failed));
  });
}
