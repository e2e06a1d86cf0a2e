/** What a client does at present. */
import { TRANSACTION } from "../../../pgwire/index.ts";
import type { ClientConnection } from "./client-connection.ts";

/** In the words of metrics and tests. */
export function stateOf({
  isLoggedIn,
  queuedAt,
  isSettling,
  server,
  reads,
  recovery,
}: ClientConnection): "login" | "waiting" | "active" | "idle-in-transaction" | "pinned" | "idle" {
  if (!isLoggedIn) return "login";
  if (queuedAt !== undefined || isSettling) return "waiting";
  if (server === undefined)
    return reads?.isBusy === true || recovery?.writes.isBusy === true ? "waiting" : "idle";
  if (server.replies.length > 0) return "active";
  return server.status === TRANSACTION.idle ? "pinned" : "idle-in-transaction";
}
