/** Kinds of jobs for tests, here and in processes of their own. */
import { type JobKind, job } from "../jobs.ts";

/** Jobs that carry a number. */
export const COUNTED: { readonly count: JobKind<{ n: number }> } = {
  count: job<{ n: number }>({ retries: 3, backoff: "1s" }),
};
