/** What must hold of databases, beyond each value: names that can be theirs, settings that fit the kind, addresses, replicas to count on. */

import type { Address, Config } from "./config.ts";
import { type DatabaseConfig, databaseServices, serverNames, witnessPort } from "./database.ts";
import type { DatabaseDraft } from "./database-schema.ts";
import type { Problem } from "./problem.ts";

/** All problems of the databases, but for their addresses. */
export function* databaseProblems(
  config: Config,
  drafts: ReadonlyMap<string, DatabaseDraft> | undefined,
): Iterable<Problem> {
  for (const database of config.databases) {
    const draft = drafts?.get(database.name) ?? {};
    const isElsewhere = draft.url !== undefined;
    yield* isElsewhere ? elsewhereProblems(database, draft) : ownProblems(database, draft);
    yield* takenServices(config, database);
  }
  yield* sameVariables(config.databases);
}

/** Addresses that databases open, with the path of the key that says so. */
export function databaseAddresses(
  database: DatabaseConfig,
): { readonly path: string; readonly address: Address }[] {
  const path = `databases.${database.name}`;
  const servers = serverNames(database).map((_, index) => ({
    path: `${path}.serverPort`,
    address: { host: "127.0.0.1", port: database.serverPort + index },
  }));
  const witness = { host: "127.0.0.1", port: witnessPort(database) };
  return [
    { path: `${path}.address`, address: database.address },
    ...servers,
    ...(database.witness ? [{ path: `${path}.witness`, address: witness }] : []),
  ];
}

/** Names that Postgres or tenfold has for itself. */
const TAKEN = /^(?:postgres|template[01]|tenfold_.*|pg_.*)$/;

function* ownProblems(database: DatabaseConfig, draft: DatabaseDraft): Iterable<Problem> {
  const { name, replicas, mode } = database;
  const path = `databases.${name}`;
  if (TAKEN.test(name))
    yield { path, what: "is a name of Postgres' own", mend: 'call it otherwise, such as "main"' };
  if (typeof draft.replicas === "object")
    yield {
      path: `${path}.replicas`,
      what: "is a list of URLs, and there is no url of their primary",
      mend: "write url, or the number of replicas that tenfold is to run",
    };
  if (mode === "quorum" && replicas < 1 && !database.witness)
    yield {
      path: `${path}.mode`,
      what: "is quorum, and there is no replica to acknowledge a commit",
      mend: 'write replicas: 2, or mode: "async"',
    };
  if (database.witness) yield* witnessProblems(database);
}

/** What a witness has, nobody waits for in async mode, and nobody can take over where there is no replica. */
function* witnessProblems({ name, replicas, mode }: DatabaseConfig): Iterable<Problem> {
  const path = `databases.${name}.witness`;
  if (mode === "async")
    yield {
      path,
      what: "is true, and in async mode no commit waits for it",
      mend: 'write mode: "quorum", or remove it',
    };
  else if (replicas < 1)
    yield {
      path,
      what: "is true, and there is no replica to be promoted with what it has",
      mend: "write replicas: 1, or remove it",
    };
}

/** What only own servers have. */
const OWN = [
  "mode",
  "witness",
  "serverPort",
  "folder",
  "postgres",
  "user",
  "backups",
  "settings",
  "lease",
  "optional",
] as const;

function* elsewhereProblems(
  { name, url = "", replicaUrls }: DatabaseConfig,
  draft: DatabaseDraft,
): Iterable<Problem> {
  const path = `databases.${name}`;
  for (const key of OWN)
    if (draft[key] !== undefined)
      yield { path: `${path}.${key}`, what: "is for servers that tenfold runs", mend: "remove it, or url" };
  if (typeof draft.replicas === "number")
    yield {
      path: `${path}.replicas`,
      what: "is a number, and the servers run elsewhere",
      mend: "write a list of their URLs",
    };
  const [primary, ...others] = [url, ...replicaUrls].map(placeOf);
  for (const [index, other] of others.entries()) {
    const where = `${path}.replicas[${index}]`;
    if (other?.login !== primary?.login)
      yield {
        path: where,
        what: "has another user, password or database than url",
        mend: "a replica is a copy: only host and port may differ",
      };
    if (other?.server === primary?.server)
      yield { path: where, what: "is the server of url", mend: "remove it" };
  }
}

function placeOf(url: string): { readonly login: string; readonly server: string } | undefined {
  const parsed = URL.parse(url);
  if (parsed === null) return undefined;
  const { username, password, pathname, hostname, port } = parsed;
  return { login: JSON.stringify([username, password, pathname]), server: `${hostname}:${port || "5432"}` };
}

/** Router and agents are services of their own. */
function* takenServices(config: Config, database: DatabaseConfig): Iterable<Problem> {
  for (const service of databaseServices(database)) {
    if (!config.targetGroups.some(({ name }) => name === service)) continue;
    const what = `needs the name ${service}, which a service or target group has`;
    yield { path: `databases.${database.name}`, what, mend: "give one of the two another name" };
  }
}

/** Tasks know databases by variables, which are in capitals. */
function* sameVariables(databases: readonly DatabaseConfig[]): Iterable<Problem> {
  const seen = new Map<string, string>();
  for (const { name } of databases) {
    const key = name.toUpperCase().replaceAll("-", "_");
    const other = seen.get(key);
    if (other !== undefined)
      yield {
        path: `databases.${name}`,
        what: `gives tasks the same variable as databases.${other}`,
        mend: "let the names differ in more than case and dashes",
      };
    seen.set(key, name);
  }
}
