/**
 * Looking before leaping: whether the addresses of a config can be opened.
 *
 * Workers open their listeners with SO_REUSEPORT, which would share a port with any other program of the same user
 * that does so too, and split its traffic. So the controller tries each address alone before workers exist.
 */
import { type Address, type Config, formatAddress } from "../config/index.ts";
import { StartFailure } from "./start-failure.ts";

/** Throws a `StartFailure` that names every address that cannot be opened, and the mend. */
export function checkListeners({ listeners }: Config): void {
  const problems = listeners.flatMap(({ name, address }) => {
    const problem = tryAddress(address);
    return problem === undefined ? [] : [{ name, address, problem }];
  });
  const [first] = problems;
  if (first === undefined) return;
  const what = problems.map(
    ({ name, address, problem }) => `listener ${name}: ${formatAddress(address)} ${problem}`,
  );
  throw new StartFailure(
    what.join("\n"),
    `stop what uses the address (\`ss -ltnp\` shows it), or change listeners.${first.name}.address`,
  );
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
