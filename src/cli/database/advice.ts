/** `tenfold db advise` and `tenfold db budget`: a cluster's primary is asked and cloned; a server elsewhere is only asked. */
import { availableParallelism, totalmem } from "node:os";
import { cloneForTrial, readPasswords } from "../../app/index.ts";
import { createLog } from "../../base/index.ts";
import { type AgentFacts, type Budget, connectionBudget } from "../../database/index.ts";
import {
  advise,
  type ControlAddress,
  type ControlClient,
  connectControl,
  type DatabaseAdvice,
  fetchLimits,
  ServerError,
  type ThrowawayClone,
} from "../../database/io/index.ts";
import type { Context } from "../context.ts";
import { asFailure } from "../controller.ts";
import { EXIT, Failure } from "../failure.ts";
import { adviceLines, budgetLines } from "../render/advice.ts";
import { clusterDatabase, type LivingMember, membersIn, needPrimary, sourceOf } from "./cluster.ts";
import { parseServerUrl, type ServerAddress } from "./server-url.ts";
import { untilStopped } from "./until-stopped.ts";

/** What both commands are asked. */
export interface AskedAdvice {
  readonly folder: string | undefined;
  /** A name, or a URL. */
  readonly database: string | undefined;
  readonly postgres: string | undefined;
  readonly user: string | undefined;
  readonly workers: number | undefined;
  readonly pool: number | undefined;
  readonly json: boolean;
}

interface Opened {
  /** The cluster's; empty for a server elsewhere. */
  readonly folder: string;
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
  return withDatabase(asked, context, async (opened) => {
    const { terminal } = context;
    const advice = await untilStopped(context, (signal) => adviceOf(opened, asked, context, signal));
    for (const line of asked.json ? [JSON.stringify(advice)] : adviceLines(advice)) terminal.out(line);
    return EXIT.ok;
  });
}

/** Asks for advice; whatever happens the copy goes. */
async function adviceOf(
  { client, replicas, primary, folder, name }: Opened,
  { postgres, user }: AskedAdvice,
  { clock, terminal }: Context,
  signal: AbortSignal,
): Promise<DatabaseAdvice> {
  const log = createLog({ clock, level: "warn", write: (line) => terminal.err(line.trimEnd()) });
  let made: ThrowawayClone | undefined;
  let dropped: Promise<void> | undefined;
  const drop = (): Promise<void> | undefined => {
    dropped ??= made?.drop();
    return dropped;
  };
  signal.addEventListener("abort", () => void drop()?.catch(() => {})); // its statements fail then, and so does all below
  const clone = async (source: LivingMember): Promise<ControlClient> => {
    made = await cloneForTrial({
      source: sourceOf(source),
      folder,
      log,
      signal,
      ...(postgres === undefined ? {} : { postgres }),
      ...(user === undefined ? {} : { user }),
    });
    return made.server.connect(name);
  };
  try {
    return await advise({
      client,
      replicas,
      clock,
      clone: primary === undefined ? undefined : () => clone(primary),
    });
  } finally {
    await drop();
  }
}

/** Prints the budget of connections. */
export function showBudget(asked: AskedAdvice, context: Context): Promise<number> {
  return withDatabase(asked, context, async ({ client }) => {
    const { terminal } = context;
    const pools = { workers: asked.workers ?? 1, size: asked.pool ?? POOL, others: OTHERS };
    const machine = { cores: availableParallelism(), memoryBytes: totalmem() };
    const budget: Budget = connectionBudget(await fetchLimits(client), pools, machine);
    for (const line of asked.json ? [JSON.stringify(budget)] : budgetLines(budget)) terminal.out(line);
    return EXIT.ok;
  });
}

async function withDatabase(
  asked: AskedAdvice,
  context: Context,
  run: (opened: Opened) => Promise<number>,
): Promise<number> {
  const clients: ControlClient[] = [];
  const connect = async (address: ControlAddress): Promise<ControlClient> => {
    const client = await connectControl(address);
    clients.push(client);
    return client;
  };
  try {
    const { folder, database } = asked;
    const isElsewhere = database?.includes("://") === true;
    return await run(
      isElsewhere
        ? await openUrl(parseServerUrl(database, context), connect)
        : await openCluster(clusterDatabase(context.cwd, folder, database), connect),
    );
  } catch (problem) {
    throw problem instanceof ServerError ? new Failure(problem.message, "") : asFailure(problem);
  } finally {
    for (const client of clients) client.close();
  }
}

type Connect = (address: ControlAddress) => Promise<ControlClient>;

async function openUrl(address: ServerAddress, connect: Connect): Promise<Opened> {
  const client = await connect(address);
  return { client, replicas: [], primary: undefined, folder: "", name: address.database };
}

async function openCluster(
  { folder, name }: ReturnType<typeof clusterDatabase>,
  connect: Connect,
): Promise<Opened> {
  const members = await membersIn(folder);
  const primary = needPrimary(members);
  const password = readPasswords(folder).superuser;
  const to = ({ host, port }: AgentFacts): Promise<ControlClient> =>
    connect({ host, port, user: "postgres", password, database: name });
  const client = await to(primary.facts);
  const others = members.flatMap(({ facts }) => (facts?.view?.role === "replica" ? [facts] : []));
  return { client, replicas: await Promise.all(others.map(to)), primary, folder, name };
}
