/**
 * Where a rule is set aside, and why. An exception that excuses nothing any more is itself a problem.
 */

/** One file that one rule does not bind. */
export interface Exception {
  readonly rule: string;
  readonly path: string;
  /** A sentence; for speed it names the script in bench/ that shows it. */
  readonly reason: string;
}

/** All of them. Keep this list short. */
export const EXCEPTIONS: readonly Exception[] = [];
