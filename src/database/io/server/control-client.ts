/** A connection for our own queries to a server: values quoted into the text, errors as `ServerError`. */

import { isLoopback } from "../../../base/index.ts";
import { SQLSTATE } from "../../../pgwire/index.ts";
import {
  PgConnection,
  PgConnectionError,
  type PgConnectionOptions,
  PgServerError,
} from "../../../pgwire/io/index.ts";
import { messageOf, ServerError } from "./problem.ts";

/** Where and as whom. */
export interface ControlAddress {
  /** A host, or the folder of a Unix socket. */
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: string;
  /** Default "postgres". */
  readonly database?: string;
  /** Default: none on this machine, elsewhere where the server has it ("prefer"). */
  readonly tls?: PgConnectionOptions["tls"];
  readonly needsBinding?: boolean;
}

/** One row: text or null by column. */
export type Row = Readonly<Record<string, string | null>>;

/** An open connection. */
export interface ControlClient {
  /**
   * Runs one statement, after those before it; `$1` … become `values`, quoted. Rejects with a ServerError: `query-failed`, or
   * `connection-lost` when the server went away or did not answer within `timeoutMs` (default one minute).
   */
  query(sql: string, values?: readonly string[], timeoutMs?: number): Promise<readonly Row[]>;
  close(): void;
}

/** A dead server's port answers at once, a dead machine's never. */
const CONNECT_TIMEOUT_MS = 3000;

const QUERY_TIMEOUT_MS = 60_000;

const NO_TLS = { mode: "disable" } as const;
const PREFERRED = { mode: "prefer" } as const;

/** Opens a connection; rejects with `wrong-password` or `cannot-connect`. */
export async function connectControl(address: ControlAddress): Promise<ControlClient> {
  const {
    host,
    database = "postgres",
    tls = host.startsWith("/") || isLoopback(host) ? NO_TLS : PREFERRED,
  } = address;
  try {
    const connection = await PgConnection.connect({
      ...address,
      database,
      tls,
      parameters: { application_name: "tenfold" },
      connectTimeoutMs: CONNECT_TIMEOUT_MS,
      queryTimeoutMs: QUERY_TIMEOUT_MS,
    });
    return clientOver(connection);
  } catch (problem) {
    throw connectProblem(address, problem);
  }
}

function clientOver(connection: PgConnection): ControlClient {
  return {
    async query(sql, values = [], timeoutMs) {
      const text = sql.replace(/\$(\d+)/g, (name, number: string) => {
        const value = values[Number(number) - 1];
        return value === undefined ? name : quoted(value);
      });
      try {
        return await connection.rows(text, timeoutMs);
      } catch (problem) {
        const isLost = problem instanceof PgConnectionError;
        throw new ServerError(isLost ? "connection-lost" : "query-failed", messageOf(problem), {
          cause: problem,
        });
      }
    },
    close: () => connection.close(),
  };
}

/** As a literal, whatever standard_conforming_strings says. */
function quoted(value: string): string {
  return value.includes("\\")
    ? ` E'${value.replaceAll("\\", "\\\\").replaceAll("'", "''")}'`
    : `'${value.replaceAll("'", "''")}'`;
}

const REFUSALS: readonly string[] = [SQLSTATE.invalidPassword, SQLSTATE.invalidAuthorization];

function connectProblem({ host, port, user }: ControlAddress, problem: unknown): ServerError {
  const isRefused = problem instanceof PgServerError && REFUSALS.includes(problem.code);
  const message = `${user} cannot connect to ${host}:${port}: ${messageOf(problem)}`;
  return new ServerError(isRefused ? "wrong-password" : "cannot-connect", message, { cause: problem });
}
