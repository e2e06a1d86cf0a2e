/** A process that works drains when it is told to end. */

/** Closes on the signals, then ends the process by the signal, unless somebody else listens to it. Gives how to listen no more. */
export function closeOnSignals(
  signals: readonly ("SIGTERM" | "SIGINT")[],
  close: () => Promise<void>,
): () => void {
  const drain = (signal: NodeJS.Signals): void => {
    // Nobody else wants the signal: what it does to a process by itself is what is left.
    void close().finally(() => process.listenerCount(signal) === 0 && process.kill(process.pid, signal));
  };
  for (const signal of signals) process.on(signal, drain);
  return () => {
    for (const signal of signals) process.off(signal, drain);
  };
}
