/** Carries a client's token in a cookie, for handlers of the Fetch API: what a browser wrote it reads, whichever process answers. */
import type { DatabasePool } from "./database-pool.ts";

const COOKIE = "tenfold-after";

/** Replication is not behind for longer than this, or the token is of no use any more. */
const MAX_AGE_S = 300;

const FOUND = new RegExp(`(?:^|;\\s*)${COOKIE}=([0-9A-Fa-f]{1,8})-([0-9A-Fa-f]{1,8})(?:;|$)`);

/** Wraps a handler: its queries see what this client has written, and the response tells the client its new token. */
export function carryToken<Rest extends unknown[]>(
  db: DatabasePool,
  handler: (request: Request, ...rest: Rest) => Response | Promise<Response>,
): (request: Request, ...rest: Rest) => Promise<Response> {
  return (request, ...rest) => {
    const [, high, low] = FOUND.exec(request.headers.get("cookie") ?? "") ?? [];
    const after = high === undefined ? "" : `${high}/${low}`;
    return db.run({ after }, async () => {
      const response = await handler(request, ...rest);
      const token = await db.token();
      if (token === after) return response;
      const headers = new Headers(response.headers);
      const value = token.replace("/", "-");
      headers.append(
        "set-cookie",
        `${COOKIE}=${value}; Path=/; Max-Age=${MAX_AGE_S}; HttpOnly; SameSite=Lax`,
      );
      const { status, statusText } = response;
      return new Response(response.body, { status, statusText, headers });
    });
  };
}
