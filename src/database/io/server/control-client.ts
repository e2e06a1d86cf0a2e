/**
 * A connection for our own queries: one at a time, rows as text. All that knows which client library it is stands here.
 */
import { Client, type ClientConfig } from "pg";
import { messageOf, ServerError, type ServerProblem } from "./problem.ts";

/** Where and as whom. */
export interface ControlAddress {
  /** A host, or the folder of a Unix socket. */
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: string;
  readonly database?: string;
  /** Default 3 s. */
  readonly timeoutMs?: number;
}

/** One row: text or null by column. */
export type Row = Readonly<Record<string, string | null>>;

/** An open connection. */
export interface ControlClient {
  /** Runs one statement; rejects with a ServerError: `query-failed`, or `connection-lost` when the server went away. */
  query(sql: string, values?: readonly string[]): Promise<readonly Row[]>;
  close(): Promise<void>;
}

/** A dead server's port answers at once, a dead machine's never. */
const CONNECT_TIMEOUT_MS = 3000;

/** Opens a connection; rejects with `wrong-password` or `cannot-connect`. */
export async function connectControl(address: ControlAddress): Promise<ControlClient> {
  const client = new Client(configOf(address));
  let lost: string | undefined;
  client.on("error", (problem: unknown) => {
    lost = messageOf(problem);
  });
  client.on("end", () => {
    lost ??= "the server closed the connection";
  });
  try {
    await client.connect();
  } catch (problem) {
    client.end().catch(() => {});
    throw connectProblem(address, problem);
  }
  let last: Promise<unknown> = Promise.resolve();
  return {
    query(sql, values) {
      const next = last.then(() => run(sql, values));
      last = next.catch(() => {});
      return next;
    },
    close: () => client.end().catch(() => {}),
  };

  async function run(sql: string, values: readonly string[] | undefined): Promise<readonly Row[]> {
    if (lost !== undefined) throw new ServerError("connection-lost", lost);
    try {
      const { rows } = await client.query<Row>(sql, values === undefined ? undefined : [...values]);
      return rows;
    } catch (problem) {
      const code: ServerProblem =
        sqlState(problem) === undefined || lost !== undefined ? "connection-lost" : "query-failed";
      throw new ServerError(code, messageOf(problem), { cause: problem });
    }
  }
}

/** The five characters that say what went wrong in the server; undefined when it was not the server that said it. */
export function sqlState(problem: unknown): string | undefined {
  const said = problem instanceof ServerError ? problem.cause : problem;
  const code = said instanceof Error && "code" in said ? said.code : undefined;
  return typeof code === "string" && /^[0-9A-Z]{5}$/.test(code) ? code : undefined;
}

function configOf(address: ControlAddress): ClientConfig {
  return {
    host: address.host,
    port: address.port,
    user: address.user,
    password: address.password,
    database: address.database ?? "postgres",
    connectionTimeoutMillis: address.timeoutMs ?? CONNECT_TIMEOUT_MS,
    application_name: "tenfold",
    types: { getTypeParser: () => (value: string) => value },
  } as ClientConfig;
}

/** invalid_password and invalid_authorization_specification. */
const REFUSED: readonly (string | undefined)[] = ["28P01", "28000"];

function connectProblem({ host, port, user }: ControlAddress, problem: unknown): ServerError {
  const isRefused = REFUSED.includes(sqlState(problem));
  const message = `${user} cannot connect to ${host}:${port}: ${messageOf(problem)}`;
  return new ServerError(isRefused ? "wrong-password" : "cannot-connect", message, { cause: problem });
}
