/**
 * What is known of one session of the database: whether it is in a transaction, what that has written so far, and
 * whether the session is still as its pool made it.
 */

/** A session's state. A pool has one too, for what goes to any of its sessions. */
export class Session {
  /** Between BEGIN and its end. */
  inTransaction = false;
  /** Settings, role or temporary tables of its own. */
  changed = false;
  /** Settings of its own until the transaction ends. */
  changedLocally = false;
  /** Tables that the transaction has written. */
  readonly written: Set<string> = new Set();

  /** BEGIN. */
  begin(): void {
    if (!this.inTransaction) this.written.clear();
    this.inTransaction = true;
  }

  /** COMMIT or ROLLBACK; with AND CHAIN the next transaction begins at once. */
  end(chains: boolean): void {
    this.written.clear();
    this.changedLocally = false;
    this.inTransaction = chains && this.inTransaction;
  }

  /** Notes what a statement of the transaction writes. */
  write(tables: readonly string[]): void {
    for (const table of tables) this.written.add(table);
  }
}
