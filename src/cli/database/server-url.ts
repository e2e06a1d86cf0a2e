/** A server by its URL, as `--database` takes one. */
import { type PostgresUrl, parsePostgresUrl, tlsDemand } from "../../pgwire/index.ts";
import { UsageError } from "../failure.ts";

/** Reads it. Throws a `UsageError`, also when it asks for TLS: what is read would go in the clear. */
export function parseServerUrl(text: string): PostgresUrl {
  const url = parsePostgresUrl(text);
  if (typeof url === "string") throw new UsageError(`--database ${url}`, "see tenfold db --help");
  const demand = tlsDemand(url);
  if (demand !== undefined)
    throw new UsageError(
      `--database asks for TLS (${demand}), which this command does not speak: what it reads would go in the clear`,
      "ask on the server's own machine, or through a tunnel (ssh -L 6543:127.0.0.1:5432 HOST), without it in the URL",
    );
  return url;
}
