/** Code of the system's error -> what it means for a state directory. Others are faults of ours. */
const MEANINGS: Readonly<Record<string, string>> = {
  EACCES: "this user may not write there",
  EPERM: "this user may not write there",
  EROFS: "its file system is read-only",
  ENOSPC: "its disk is full",
  EDQUOT: "this user's quota is used up",
  ENOTDIR: "part of its path is no folder",
  ENOENT: "no folder can be made there",
  EEXIST: "a file is in its place",
};

/** Why a controller could not start: what is wrong, and how to mend it. */
export class StartFailure extends Error {
  readonly mend: string;

  constructor(message: string, mend: string) {
    super(message);
    this.name = "StartFailure";
    this.mend = mend;
  }
}

/** A system's error in the state directory as a `StartFailure`; any other problem as it is. */
export function stateFailure(directory: string, problem: unknown): unknown {
  const code = problem instanceof Error && "code" in problem ? String(problem.code) : "";
  const meaning = MEANINGS[code];
  if (meaning === undefined) return problem;
  return new StartFailure(
    `the state directory ${directory} cannot be used: ${meaning} (${code})`,
    "mend that, or choose another directory with --state DIR",
  );
}
