/** An app server as a user would write it, for tests that kill it: sessions in the store of $STORE or of the config, on $PORT. */
import { createServer } from "node:http";
import { createSessions, nodeSessions, openSessionStore, requireUser } from "../io/index.ts";

const store = openSessionStore(process.env["STORE"] ?? process.env["TENFOLD_STORE_SHARED_URL"] ?? "");
const sessions = createSessions<{ visits: number }>({ store });

const server = createServer(
  nodeSessions(sessions, async (request, response, session) => {
    const path = (request as { url?: string }).url;
    if (path === "/in") await session.signIn("ann");
    const user = requireUser(session);
    response.end(JSON.stringify({ user, visits: session.increment("visits"), pid: process.pid }));
  }) as never,
);
server.listen(Number(process.env["PORT"]), "127.0.0.1", () => process.stdout.write("listening\n"));
