/** Fetching verifiers of users from the server, over one connection that is opened when it is needed. */
import { PgConnection, type PgConnectionOptions } from "../../../pgwire/io/index.ts";
import { type FetchVerifier, verifierQuery } from "./users.ts";

/** Fetches as `optionsOf` say, asked anew for each connection; the user must be allowed to read pg_authid. */
export function fetchVerifiers(optionsOf: () => PgConnectionOptions): FetchVerifier {
  let connection: Promise<PgConnection> | undefined;
  const open = async (): Promise<PgConnection> => {
    const opened = await PgConnection.connect(optionsOf());
    opened.onLost = () => {
      connection = undefined;
    };
    return opened;
  };
  return async (user) => {
    connection ??= open();
    try {
      const [row] = await (await connection).rows(verifierQuery(user));
      return row?.["rolpassword"] ?? undefined;
    } catch (error) {
      connection = undefined;
      throw error;
    }
  };
}
