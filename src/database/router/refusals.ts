/** Every error that the router answers with by itself: one row each. The code is the reason in log and metrics. */
import { type ErrorReply, type ErrorSeverity, SQLSTATE, type SqlState } from "../../pgwire/index.ts";

interface RouterErrorRow {
  readonly sqlState: SqlState;
  readonly severity: ErrorSeverity;
  readonly message: string;
  readonly hint: string;
}

const fatal = (sqlState: SqlState, message: string, hint: string): RouterErrorRow => ({
  sqlState,
  severity: "FATAL",
  message,
  hint,
});

/** One of the reasons. */
export type RouterErrorCode =
  | "protocol-violation"
  | "protocol-unsupported"
  | "clients-exceeded"
  | "pools-exceeded"
  | "user-clients-exceeded"
  | "database-clients-exceeded"
  | "queue-full"
  | "queue-timeout"
  | "reads-shed"
  | "bad-routing"
  | "server-unreachable"
  | "no-primary"
  | "hold-full"
  | "hold-expired"
  | "outcome-unknown"
  | "transaction-lost"
  | "transaction-aborted"
  | "server-lost"
  | "server-garbled"
  | "login-timeout"
  | "wrong-password"
  | "logins-exceeded"
  | "no-user"
  | "tls-required"
  | "binding-required"
  | "users-unknown"
  | "unsupported-parameter"
  | "replication-refused"
  | "idle-in-transaction"
  | "idle-client"
  | "query-timeout"
  | "message-timeout"
  | "statement-mode"
  | "pipeline-exceeded"
  | "statements-exceeded"
  | "cancelled"
  | "draining"
  | "paused"
  | "killed"
  | "internal";

/** Code -> what the client is told. */
export const ROUTER_REFUSALS: Readonly<Record<RouterErrorCode, RouterErrorRow>> = {
  "protocol-violation": fatal(
    SQLSTATE.protocolViolation,
    "the client does not follow the protocol",
    "Look at the client's driver.",
  ),
  "protocol-unsupported": fatal(
    SQLSTATE.featureNotSupported,
    "unsupported frontend protocol: server supports 3.0 to 3.2",
    "Use a driver for PostgreSQL 7.4 or later.",
  ),
  "clients-exceeded": fatal(
    SQLSTATE.tooManyConnections,
    "the router has as many clients as it may",
    "Raise `clientsMax`, or have clients close what they do not use.",
  ),
  "pools-exceeded": fatal(
    SQLSTATE.tooManyConnections,
    "the router has as many pools as it may",
    "Use fewer different databases and users.",
  ),
  "user-clients-exceeded": fatal(
    SQLSTATE.tooManyConnections,
    "the user has as many clients as it may",
    "Raise `pool.userClientsMax`, or have clients close what they do not use.",
  ),
  "database-clients-exceeded": fatal(
    SQLSTATE.tooManyConnections,
    "the database has as many clients as it may",
    "Raise `pool.databaseClientsMax`, or have clients close what they do not use.",
  ),
  "queue-full": fatal(
    SQLSTATE.tooManyConnections,
    "too many clients wait for a server connection",
    "Raise `pool.size` or `pool.queueMax`, or shorten transactions.",
  ),
  "queue-timeout": fatal(
    SQLSTATE.tooManyConnections,
    "no server connection came free in time",
    "Raise `pool.size`, `pool.databaseMax`, `pool.userMax` or `pool.queueTimeout`, or shorten transactions.",
  ),
  "reads-shed": {
    sqlState: SQLSTATE.tooManyConnections,
    severity: "ERROR",
    message: "no replica can serve the read, and the primary has enough of such reads",
    hint: "Try again; look at the replicas; or raise `reads.primary.max`.",
  },
  "bad-routing": {
    sqlState: SQLSTATE.invalidParameterValue,
    severity: "ERROR",
    message: "the router does not understand the setting",
    hint: "See the guide's page on reads.",
  },
  "server-unreachable": fatal(
    SQLSTATE.cannotConnectNow,
    "the server cannot be reached",
    "Look at the server; the router tries again by itself.",
  ),
  "no-primary": fatal(
    SQLSTATE.cannotConnectNow,
    "there is no primary at present",
    "Wait for the failover to end; the router held the statement as long as it may.",
  ),
  "server-lost": fatal(
    SQLSTATE.connectionFailure,
    "the server closed the connection",
    "Connect again; a transaction that was open is rolled back.",
  ),
  "hold-full": {
    sqlState: SQLSTATE.cannotConnectNow,
    severity: "ERROR",
    message: "there is no confirmed primary, and as many sessions wait for one as may",
    hint: "Nothing was sent to a server: try again. Raise `failover.hold.max` to let more of them wait.",
  },
  "hold-expired": {
    sqlState: SQLSTATE.cannotConnectNow,
    severity: "ERROR",
    message: "there was no confirmed primary for as long as statements are held",
    hint: "It was not carried out: try again. Reads of replicas go on.",
  },
  "outcome-unknown": {
    sqlState: SQLSTATE.transactionResolutionUnknown,
    severity: "ERROR",
    message: "the primary was lost before it answered: what was sent may have been carried out or not",
    hint: "Look whether it was before you do it again.",
  },
  "transaction-lost": {
    sqlState: SQLSTATE.adminShutdown,
    severity: "ERROR",
    message: "the transaction was rolled back: the primary that ran it is gone",
    hint: "Run the transaction again.",
  },
  "transaction-aborted": {
    sqlState: SQLSTATE.inFailedTransaction,
    severity: "ERROR",
    message: "current transaction is aborted, commands ignored until end of transaction block",
    hint: "Its primary is gone: roll back, and run it again.",
  },
  "server-garbled": fatal(
    SQLSTATE.protocolViolation,
    "what the server sends cannot be read",
    "Look whether it is PostgreSQL that answers at this address.",
  ),
  "login-timeout": fatal(
    SQLSTATE.invalidAuthorization,
    "the client did not log in in time",
    "Raise `loginTimeout`, or look at the network.",
  ),
  "wrong-password": fatal(
    SQLSTATE.invalidPassword,
    "password authentication failed",
    "Check the user's name and password.",
  ),
  "logins-exceeded": fatal(
    SQLSTATE.tooManyConnections,
    "too many failed log-ins from this address wait for their answers",
    "Look who tries wrong passwords there; try again later.",
  ),
  "no-user": fatal(
    SQLSTATE.invalidAuthorization,
    "no PostgreSQL user name specified in startup packet",
    "Give the user's name.",
  ),
  "tls-required": fatal(
    SQLSTATE.invalidAuthorization,
    "the router takes connections with TLS alone",
    "Connect with sslmode=require, or better.",
  ),
  "binding-required": fatal(
    SQLSTATE.invalidAuthorization,
    "the router takes log-ins that are bound to its certificate alone",
    "Connect with a driver that knows SCRAM-SHA-256-PLUS: with libpq, channel_binding=require.",
  ),
  "users-unknown": fatal(
    SQLSTATE.cannotConnectNow,
    "the user cannot be looked up at present",
    "Look at the server from which users are fetched.",
  ),
  "unsupported-parameter": fatal(
    SQLSTATE.invalidParameterValue,
    "the start-up holds what cannot be set",
    "Take it out of the connection string.",
  ),
  "replication-refused": fatal(
    SQLSTATE.featureNotSupported,
    "the replication protocol cannot be pooled",
    "Connect to the server itself.",
  ),
  "idle-in-transaction": fatal(
    SQLSTATE.idleInTransactionTimeout,
    "the transaction was idle for too long",
    "End transactions, or raise `pool.idleInTransaction`.",
  ),
  "idle-client": fatal(
    SQLSTATE.idleSessionTimeout,
    "the client was idle for too long",
    "Raise `pool.clientIdle`.",
  ),
  "query-timeout": fatal(
    SQLSTATE.queryCanceled,
    "the query had no answer in time",
    "Raise `pool.queryTimeout`, or make the query faster; a transaction that was open is rolled back.",
  ),
  "message-timeout": fatal(
    SQLSTATE.protocolViolation,
    "a message did not come whole in time",
    "Look at the client and at the network, or raise `pool.messageTimeout`.",
  ),
  "statement-mode": fatal(
    SQLSTATE.featureNotSupported,
    "transactions of several statements are not possible in statement mode",
    'Use `mode: "transaction"`.',
  ),
  "pipeline-exceeded": fatal(
    SQLSTATE.programLimitExceeded,
    "too many messages wait for their answers",
    "Read answers while sending.",
  ),
  "statements-exceeded": fatal(
    SQLSTATE.programLimitExceeded,
    "the client has as many prepared statements as it may",
    "Close those that are not used any more.",
  ),
  cancelled: {
    sqlState: SQLSTATE.queryCanceled,
    severity: "ERROR",
    message: "canceling statement due to user request",
    hint: "It had not been sent to a server.",
  },
  draining: fatal(
    SQLSTATE.adminShutdown,
    "terminating connection due to administrator command",
    "Connect again.",
  ),
  paused: fatal(
    SQLSTATE.cannotConnectNow,
    "the database is paused",
    "Say RESUME at the router's console, or wait until somebody does.",
  ),
  killed: fatal(
    SQLSTATE.adminShutdown,
    "terminating connection due to administrator command",
    "The database was killed at the router's console: statements wait until somebody says RESUME there.",
  ),
  internal: fatal(SQLSTATE.internalError, "the router made a mistake", "Report it, with the router's log."),
};

/** The error as a client gets it; `detail` says what is special to this time. */
export function routerError(code: RouterErrorCode, detail?: string): ErrorReply {
  const { sqlState, severity, message, hint } = ROUTER_REFUSALS[code];
  return { severity, code: sqlState, message, hint, detail };
}
