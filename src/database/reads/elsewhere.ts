/** Which errors of a replica say nothing of the statement: it runs elsewhere, and nobody sees them. */
import { type ErrorFields, SQLSTATE } from "../../pgwire/index.ts";
import type { ReadReason } from "./reasons.ts";

/** The routine that refuses serializable transactions on a replica, whatever the language of its message. */
const SERIALIZABLE_ROUTINE = "GetSerializableTransactionSnapshot";

/** A query that stood in the way of replaying the log. */
const RECOVERY_CONFLICT = "40001";

/** A session's end: the server shuts down, crashed, is not ready yet, its database was dropped. */
const GOODBYES: ReadonlySet<string> = new Set([
  SQLSTATE.adminShutdown,
  SQLSTATE.crashShutdown,
  SQLSTATE.cannotConnectNow,
  "57P04",
]);

/** Why the batch goes elsewhere; undefined: the client gets the error. `isTransaction`: it has begun one, which the client knows of. */
export function whyElsewhere(
  { code, routine, severity }: ErrorFields,
  isTransaction: boolean,
): ReadReason | undefined {
  if (severity !== "ERROR") return GOODBYES.has(code) ? "replica-lost" : undefined;
  if (isTransaction) return undefined;
  if (code === RECOVERY_CONFLICT) return "recovery-conflict";
  if (code === SQLSTATE.featureNotSupported && routine === SERIALIZABLE_ROUTINE) return "serializable";
  return code === SQLSTATE.readOnlyTransaction || code === SQLSTATE.featureNotSupported
    ? "replica-refused"
    : undefined;
}
