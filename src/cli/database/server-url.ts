/** A server by its URL, as `--database` takes one. */
import { parsePostgresUrl, serverTlsOf } from "../../pgwire/index.ts";
import type { PgConnectionOptions } from "../../pgwire/io/index.ts";
import type { Context } from "../context.ts";
import { UsageError } from "../failure.ts";

/** Where to, as whom, and how: what a URL says, and PGPASSWORD where it has no password. */
export interface ServerAddress
  extends Pick<PgConnectionOptions, "host" | "port" | "user" | "tls" | "needsBinding"> {
  readonly database: string;
  readonly password: string;
}

/** Reads it; paths of files begin in the current folder. Throws a `UsageError`, which does not repeat the URL: it may hold a password. */
export function parseServerUrl(text: string, { cwd, env }: Pick<Context, "cwd" | "env">): ServerAddress {
  const url = parsePostgresUrl(text);
  if (typeof url === "string") throw new UsageError(`--database ${url}`, "see tenfold db --help");
  const tls = serverTlsOf(url, cwd);
  if (typeof tls === "string") throw new UsageError(`--database ${tls}`, "see tenfold db --help");
  const { host, port, user, password = env["PGPASSWORD"] ?? "", database, options } = url;
  const needsBinding = options.get("channel_binding") === "require";
  return { host, port, user, password, database, tls, needsBinding };
}
