/** What became of a transaction whose answer was lost with its server. */
import type { IdStanding } from "../failover/starts.ts";

/** "lost": it was not committed, and will not be. */
export type Outcome = "committed" | "lost" | "unknown";

/** What `pg_xact_status` says; null: it is too long ago. */
export type XactStatus = string | null;

/** What is to be done to know an id's outcome: it is known, or the primary must be asked, now or again. */
export type OutcomeStep = Outcome | "ask" | "ask-again";

/** By where the id stands, and what the primary said, where it was asked. */
export function outcomeOf(standing: IdStanding, status?: XactStatus): OutcomeStep {
  if (standing === "unknown") return "unknown";
  if (standing === "unseen") return "lost";
  if (status === undefined) return "ask";
  switch (status ?? "") {
    case "committed":
      return "committed";
    case "aborted":
      return "lost";
    case "in progress":
      return "ask-again"; // its server has not noticed that the connection is gone, or its commit waits for a replica
    default:
      return "unknown"; // it is too long ago
  }
}
