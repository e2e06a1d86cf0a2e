// Sessions as in docs/guide/sessions.md.
import { cookies, headers } from "next/headers";
import { createSessions, nextSessions, openSessionStore } from "tenfold/session";

const sessions = createSessions({ store: openSessionStore(process.env.STORE) });
export const { withSession, readSession } = nextSessions(sessions, { cookies, headers });
