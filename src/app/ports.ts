/**
 * Looking before leaping: whether the addresses of a config can be opened.
 *
 * Workers open their listeners with SO_REUSEPORT, which would share a port with any other program of the same user
 * that does so too, and split its traffic. So the controller tries each address alone before workers exist.
 */
import { type Address, formatAddress, type ListenerConfig } from "../config/index.ts";
import { StartFailure } from "./start-failure.ts";

/** Throws a `StartFailure` that names every address that cannot be opened, and the mend. */
export function checkListeners(listeners: readonly ListenerConfig[]): void {
  const problems = listenerProblems(listeners);
  if (problems.length === 0) return;
  throw new StartFailure(
    problems.join("\n"),
    "stop what uses the address (`ss -ltnp` shows it), or change the listener",
  );
}

/** A line for each listener whose address cannot be opened. */
export function listenerProblems(listeners: readonly ListenerConfig[]): string[] {
  return listeners.flatMap(({ name, address }) => {
    const problem = tryAddress(address);
    return problem === undefined ? [] : [`listener ${name}: ${formatAddress(address)} ${problem}`];
  });
}

/** Whether nobody listens there now. */
export function isFree(address: Address): boolean {
  return tryAddress(address) === undefined;
}

function tryAddress({ host, port }: Address): string | undefined {
  try {
    Bun.listen({ hostname: host, port, exclusive: true, socket: { data: () => {} } }).stop(true);
    return undefined;
  } catch (error) {
    return describe(error, port);
  }
}

function describe(error: unknown, port: number): string {
  const code = error instanceof Error && "code" in error ? String(error.code) : String(error);
  if (code === "EADDRINUSE") return "is in use";
  if (code === "EADDRNOTAVAIL") return "is not an address of this machine";
  if (code === "EACCES") return `may not be opened: ports below 1024 need a privilege (port ${port})`;
  return `cannot be opened (${code})`;
}
