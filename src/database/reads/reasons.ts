/** Why a batch of statements goes where it goes: the same word in metrics, in `SHOW tenfold.reads` and in the guide. */

/** Reason -> what it means. */
export const READ_REASONS = {
  // To a replica.
  read: "it only reads",
  "read-only-transaction": "it begins a transaction that only reads",
  "hint-replica": "its hint says so",
  // To the primary, for what it is.
  writes: "it writes, or may",
  "locks-rows": "it locks rows",
  command: "it is a command, or asks about the session",
  unparsable: "it cannot be read, so nothing is known of it",
  "several-statements": "its text holds several statements that are not all reads",
  "session-state": "it changes the session, or begins a transaction",
  "about-server": "it asks about the server that it runs on",
  "volatile-function": "it calls a function that may write",
  "functions-unknown": "which functions may write has not been read from the database yet",
  "known-to-write": "a replica has refused it before",
  "hint-primary": "its hint says so",
  "hint-unknown": "its hint, or a setting of its session, is not understood",
  serializable: "its session's transactions are serializable, which replicas do not offer",
  "open-batch": "its batch does not end with a Sync, so more statements may belong to it",
  "long-batch": "its batch is too long to be kept",
  "closes-statement": "its batch closes a prepared statement too, so it could not be run twice",
  "unknown-statement": "it uses a prepared statement that the router has not seen",
  "no-statement": "there is no statement in it",
  "function-call": "it calls a function by the old protocol",
  "no-replicas": "the cluster has no replicas",
  // To the primary, though a replica might have served it: these are bounded.
  "replicas-ineligible": "the cluster's view says that no replica may be read",
  "replicas-down": "no replica answers",
  "replicas-stale-timeline": "the replicas follow another timeline than the primary",
  "replicas-diverged":
    "the replicas have replayed what the primary never wrote, or another log on a timeline of the same number",
  "replicas-lagging": "the replicas are too far behind",
  "replicas-behind": "no replica had replayed in time what the read must see",
  "position-unknown": "the primary did not tell how far its log goes",
  "replica-lost": "every replica was lost while it ran",
  "replica-refused": "the replica refused it",
  "recovery-conflict": "the replica cancelled it, since it stood in the way of replaying the log",
} as const;

/** One of the reasons. */
export type ReadReason = keyof typeof READ_REASONS;

/** Why a replica is not read: the reason's end. */
export type Unreadable = "ineligible" | "down" | "stale-timeline" | "diverged" | "lagging";
