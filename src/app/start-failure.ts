/** Why a controller could not start: what is wrong, and how to mend it. */
export class StartFailure extends Error {
  readonly mend: string;

  constructor(message: string, mend: string) {
    super(message);
    this.name = "StartFailure";
    this.mend = mend;
  }
}
