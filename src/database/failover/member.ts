/** Who belongs to a cluster. */

/** A server with its agent, or a witness. */
export interface Member {
  readonly name: string;
  readonly host: string;
  readonly port: number;
  /**
   * "witness": has the log and no data. It counts for the quorum and hands out what a candidate lacks; it is never promoted.
   */
  readonly kind: "data" | "witness";
  /** Among candidates with the same log the higher one is promoted. Default 1; 0 = never promoted. */
  readonly priority: number;
  /** Its data directory, where the agent that reads this can read it; undefined = only through its own agent. */
  readonly data: string | undefined;
}

/** Whether it can ever be primary. */
export function canBePrimary(member: Member): boolean {
  return member.kind === "data" && member.priority > 0;
}
