// A route handler that changes the session.
import { withSession } from "../../../session.js";

export async function POST() {
  return withSession((session) => Response.json({ visits: session.increment("visits") }));
}
