/** `tenfold db advise` and `tenfold db budget`: a cluster's primary is asked and cloned; a server elsewhere is only asked. */
import { availableParallelism, totalmem } from "node:os";
import { cloneForTrial, readPasswords } from "../../app/index.ts";
import { createLog } from "../../base/index.ts";
import { type Budget, connectionBudget } from "../../database/index.ts";
import {
  advise,
  type ControlClient,
  connectControl,
  type DatabaseAdvice,
  fetchLimits,
  ServerError,
  type ThrowawayClone,
} from "../../database/io/index.ts";
import { parsePostgresUrl } from "../../pgwire/index.ts";
import type { Context } from "../context.ts";
import { asFailure } from "../controller.ts";
import { EXIT, Failure, UsageError } from "../failure.ts";
import { adviceLines, budgetLines } from "../render/advice.ts";
import { type LivingMember, membersIn, needPrimary, sourceOf } from "./cluster.ts";

/** What both commands are asked. */
export interface AskedAdvice {
  readonly folder: string;
  /** A name in the cluster, or a URL. */
  readonly database: string | undefined;
  readonly postgres: string | undefined;
  readonly user: string | undefined;
  readonly workers: number | undefined;
  readonly pool: number | undefined;
  readonly json: boolean;
}

interface Opened {
  readonly client: ControlClient;
  readonly replicas: readonly ControlClient[];
  /** Undefined for a server elsewhere. */
  readonly primary: LivingMember | undefined;
  readonly name: string;
}

/** Consoles, backups and agents beside the pools. */
const OTHERS = 5;

const POOL = 10;

/** Prints advice on a database. */
export function adviseOn(asked: AskedAdvice, context: Context): Promise<number> {
  return withDatabase(asked, async ({ client, replicas, primary, name }) => {
    let made: ThrowawayClone | undefined;
    const { terminal, clock } = context;
    const log = createLog({ clock, level: "warn", write: (line) => terminal.err(line.trimEnd()) });
    const { folder, postgres, user } = asked;
    const programs = {
      ...(postgres === undefined ? {} : { postgres }),
      ...(user === undefined ? {} : { user }),
    };
    const clone = async (source: LivingMember): Promise<ControlClient> => {
      made = await cloneForTrial({ source: sourceOf(source), folder, log, ...programs });
      return made.server.connect(name);
    };
    let advice: DatabaseAdvice;
    try {
      advice = await advise({
        client,
        replicas,
        clone: primary === undefined ? undefined : () => clone(primary),
      });
    } finally {
      await made?.drop();
    }
    for (const line of asked.json ? [JSON.stringify(advice)] : adviceLines(advice)) terminal.out(line);
    return EXIT.ok;
  });
}

/** Prints the budget of connections. */
export function showBudget(asked: AskedAdvice, { terminal }: Context): Promise<number> {
  return withDatabase(asked, async ({ client }) => {
    const pools = { workers: asked.workers ?? 1, size: asked.pool ?? POOL, others: OTHERS };
    const machine = { cores: availableParallelism(), memoryBytes: totalmem() };
    const budget: Budget = connectionBudget(await fetchLimits(client), pools, machine);
    for (const line of asked.json ? [JSON.stringify(budget)] : budgetLines(budget)) terminal.out(line);
    return EXIT.ok;
  });
}

async function withDatabase(asked: AskedAdvice, run: (opened: Opened) => Promise<number>): Promise<number> {
  const clients: ControlClient[] = [];
  try {
    return await run(await open(asked, clients));
  } catch (problem) {
    throw problem instanceof ServerError ? new Failure(problem.message, "") : asFailure(problem);
  } finally {
    for (const client of clients) client.close();
  }
}

async function open(
  { folder, database = "postgres" }: AskedAdvice,
  clients: ControlClient[],
): Promise<Opened> {
  const connect = async (address: Parameters<typeof connectControl>[0]): Promise<ControlClient> => {
    const client = await connectControl(address);
    clients.push(client);
    return client;
  };
  if (database.includes("://")) {
    const url = parsePostgresUrl(database);
    if (typeof url === "string") throw new UsageError(`--database ${url}`, "");
    const client = await connect({ ...url, password: url.password ?? "" });
    return { client, replicas: [], primary: undefined, name: url.database };
  }
  const members = await membersIn(folder);
  const primary = needPrimary(members);
  const password = readPasswords(folder).superuser;
  const to = (port: number): Promise<ControlClient> =>
    connect({ host: "127.0.0.1", port, user: "postgres", password, database });
  const client = await to(primary.facts.port);
  const others = members.flatMap(({ facts }) => (facts?.view?.role === "replica" ? [facts.port] : []));
  return { client, replicas: await Promise.all(others.map(to)), primary, name: database };
}
