/** What a client asks of its worker. */
import type { ClientConnection } from "./client-connection.ts";
import type { LoginHost } from "./client-login.ts";
import type { RouterContext } from "./context.ts";
import type { Reads } from "./reads.ts";

/** The worker, as its clients see it. */
export interface ClientHost extends LoginHost {
  readonly context: RouterContext;
  readonly isDraining: boolean;
  /** Sessions go on when the primary is lost. */
  readonly followsLease: boolean;
  /** Where reads go; undefined: all go to the primary. */
  readonly reads: Reads | undefined;
  clientGone(client: ClientConnection): void;
}
