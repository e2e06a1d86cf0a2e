/** `tenfold db partition`: from options to a table's partitioning, and from its problems to failures. */
import { readPasswords } from "../../app/index.ts";
import {
  PartitionProblem,
  PERIODS,
  parseName,
  parseTableName,
  type Scheme,
  type TableName,
} from "../../database/index.ts";
import {
  abortPartition,
  dropOldTable,
  PartitionSession,
  partitionTable,
  planPartition,
} from "../../database/io/index.ts";
import {
  PgConnection,
  PgConnectionError,
  type PgConnectionOptions,
  PgServerError,
} from "../../pgwire/io/index.ts";
import type { Context } from "../context.ts";
import { EXIT, Failure, UsageError } from "../failure.ts";
import { clusterDatabase, membersIn, needPrimary } from "./cluster.ts";
import { parseServerUrl } from "./server-url.ts";

/** What is asked for. */
export interface PartitionOptions {
  readonly database: string | undefined;
  readonly folder: string | undefined;
  readonly by: string | undefined;
  readonly every: string | undefined;
  readonly parts: number | undefined;
  readonly "dry-run": boolean;
  readonly abort: boolean;
  readonly "drop-old": boolean;
}

type Wanted =
  | { readonly kind: "abort" }
  | { readonly kind: "drop-old" }
  | { readonly kind: "partition"; readonly scheme: Scheme }
  | { readonly kind: "plan"; readonly scheme: Scheme };

/** Does what the options say to the table `written`. */
export async function partition(
  written: string,
  options: PartitionOptions,
  context: Context,
): Promise<number> {
  const name = parseTableName(written);
  if (name === undefined)
    throw new UsageError(
      `"${written}" is no table`,
      "write TABLE or SCHEMA.TABLE; a name with a dot in double quotes",
    );
  const wanted = wantedOf(options);
  const server = await serverOf(options, context);
  try {
    await run(name, wanted, server, context);
    return EXIT.ok;
  } catch (error) {
    throw asFailure(error);
  }
}

async function run(
  name: TableName,
  wanted: Wanted,
  server: PgConnectionOptions,
  context: Context,
): Promise<void> {
  const { terminal, clock, scheduler } = context;
  const connection = await PgConnection.connect(server);
  try {
    const session = new PartitionSession(connection, name, scheduler);
    const parts = { clock, say: terminal.out };
    if (wanted.kind === "abort") await abortPartition(session, parts);
    else if (wanted.kind === "drop-old") await dropOldTable(session, parts);
    else if (wanted.kind === "plan") await planPartition(session, wanted.scheme, parts);
    else await partitionTable(session, wanted.scheme, parts);
  } finally {
    connection.close();
  }
}

function wantedOf(options: PartitionOptions): Wanted {
  const { abort, "drop-old": dropOld, "dry-run": dryRun, by } = options;
  if ([abort, dropOld, by !== undefined].filter(Boolean).length !== 1 || (dryRun && by === undefined))
    throw new UsageError(
      "db partition needs one thing to do",
      "write one of --by, --abort, --drop-old; --dry-run goes with --by",
    );
  if (abort) return { kind: "abort" };
  if (dropOld) return { kind: "drop-old" };
  return { kind: dryRun ? "plan" : "partition", scheme: schemeOf(by ?? "", options) };
}

function schemeOf(by: string, { every, parts }: PartitionOptions): Scheme {
  const [, kind, written = ""] = /^(range|hash)\((.+)\)$/.exec(by) ?? [];
  const column = parseName(written);
  if (kind === undefined || column === undefined)
    throw new UsageError(`--by ${by} is none`, 'write --by "range(COLUMN)" or --by "hash(COLUMN)"');
  if (kind === "hash") {
    if (parts === undefined || every !== undefined)
      throw new UsageError("a hash has a number of parts", "write --parts 8, and no --every");
    return { kind, column, parts };
  }
  const period = PERIODS.find((one) => one === every);
  if (period === undefined || parts !== undefined)
    throw new UsageError(
      "a range has a length",
      `write --every with one of ${PERIODS.join(", ")}, and no --parts`,
    );
  return { kind: "range", column, every: period };
}

/** The server of a URL, or the primary of a cluster that tenfold runs. */
async function serverOf(
  { database, folder }: PartitionOptions,
  context: Context,
): Promise<PgConnectionOptions> {
  if (database?.includes("://") === true) return parseServerUrl(database, context);
  const found = clusterDatabase(context.cwd, folder, database);
  const { facts } = needPrimary(await membersIn(found.folder));
  const { superuser: password } = readPasswords(found.folder);
  return { host: facts.host, port: facts.port, user: "postgres", password, database: found.name };
}

function asFailure(error: unknown): unknown {
  if (error instanceof PartitionProblem) return new Failure(error.message, error.mend);
  if (error instanceof PgServerError)
    return new Failure(
      `Postgres says: ${error.message} (${error.code})`,
      "nothing of this step is left; mend that and run the command again",
    );
  if (error instanceof PgConnectionError)
    return new Failure(
      error.message,
      error.code.startsWith("tls-")
        ? "mend sslmode or its files in the URL"
        : "run the command again: it goes on where it was",
    );
  return error;
}
