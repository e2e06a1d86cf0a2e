/** Why a table is not partitioned, and what to do about it. */
export class PartitionProblem extends Error {
  override readonly name = "PartitionProblem";
  /** An order. */
  readonly mend: string;

  constructor(what: string, mend: string) {
    super(what);
    this.mend = mend;
  }
}
