/**
 * How a command ends when it does not end well: exit code 1 for what failed, 2 for what was asked wrongly.
 *
 * Both are thrown where they are found and printed in one place (see `dispatch`): what is wrong, then the mend.
 */

/** Exit codes of every command. */
export const EXIT = { ok: 0, failed: 1, usage: 2 } as const;

/** Something expected went wrong; exit code 1. */
export class Failure extends Error {
  override readonly name: string = "Failure";
  /** What to do about it, as an order. */
  readonly mend: string;

  constructor(what: string, mend: string) {
    super(what);
    this.mend = mend;
  }
}

/** The command line makes no sense; exit code 2, and the usage line is shown. */
export class UsageError extends Failure {
  override readonly name: string = "UsageError";
}

/** The controller does not answer; what it started may go on. */
export class ControllerAway extends Failure {
  override readonly name: string = "ControllerAway";
}

/** The controller answered, and said no. */
export class Refused extends Failure {
  override readonly name: string = "Refused";
  /** The API's literal. */
  readonly code: string;

  constructor(code: string, what: string, mend: string) {
    super(what, mend);
    this.code = code;
  }
}

/** "what: mend", without a colon where there is no mend. */
export function failureLine({ message, mend }: Failure): string {
  return mend === "" ? message : `${message}: ${mend}`;
}
