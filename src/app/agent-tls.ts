/** What agents on several machines show each other. */
import { readIdentity, TlsFileError, type TlsIdentity } from "../base/io/index.ts";
import type { TlsSources } from "../database/io/index.ts";
import { StartFailure } from "./start-failure.ts";

/** Reads the files. Throws a `StartFailure` that names the one that cannot be used. */
export function readAgentTls({ cert, key, ca }: TlsSources): TlsIdentity {
  try {
    return readIdentity({ cert, key, clientCa: ca });
  } catch (problem) {
    if (!(problem instanceof TlsFileError)) throw problem;
    throw new StartFailure(
      problem.message,
      "name a certificate, its key and the CA of all members, as PEM files",
    );
  }
}
