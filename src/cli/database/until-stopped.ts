/** Work that Ctrl-C ends halfway, once it has cleaned up. */
import type { Context } from "../context.ts";
import { Failure } from "../failure.ts";

/** Runs it; when it is told to stop it fails, after `run` has seen the signal and ended. */
export async function untilStopped<T>(
  { onSignal }: Context,
  run: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const stopping = new AbortController();
  const offs = (["SIGINT", "SIGTERM"] as const).map((name) => onSignal(name, () => stopping.abort()));
  try {
    const outcome = await run(stopping.signal);
    stopping.signal.throwIfAborted();
    return outcome;
  } catch (problem) {
    throw stopping.signal.aborted ? new Failure("it was stopped", "") : problem;
  } finally {
    for (const off of offs) off();
  }
}
