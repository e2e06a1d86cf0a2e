/** The files by which the servers of a cluster speak TLS to each other, where Postgres' user can read them. */
import { join } from "node:path";
import { readIdentity, TlsFileError } from "../../../base/io/index.ts";
import { type Owner, writeOwned } from "./owner.ts";
import { ServerError } from "./problem.ts";

/** A server's certificate and key, and the CA that has made those of all servers; paths, PEM. */
export interface TlsSources {
  readonly cert: string;
  readonly key: string;
  readonly ca: string;
}

/** Where the copies are, in a server's folder. */
export function tlsFilesIn(folder: string): TlsSources {
  const at = (name: string): string => join(folder, name);
  return { cert: at("server.crt"), key: at("server.key"), ca: at("ca.crt") };
}

/** Copies them. Throws `tls-file` when one of them is not what it should be. */
export async function placeTlsFiles(
  { cert, key, ca }: TlsSources,
  folder: string,
  owner: Owner,
): Promise<void> {
  const to = tlsFilesIn(folder);
  try {
    const read = readIdentity({ cert, key, clientCa: ca });
    await writeOwned(to.cert, read.cert, owner);
    await writeOwned(to.key, read.key, owner);
    await writeOwned(to.ca, read.clientCa ?? "", owner);
  } catch (problem) {
    if (problem instanceof TlsFileError) throw new ServerError("tls-file", problem.message);
    throw problem;
  }
}
