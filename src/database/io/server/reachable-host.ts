/** Where a server is reached on its own machine. */

/** What it listens on, and loopback for one that listens everywhere. */
export function reachableHost(host: string): string {
  if (host === "0.0.0.0" || host === "*") return "127.0.0.1";
  return host === "::" ? "::1" : host;
}
