/** A server connection takes on the settings of the client that it is to serve. */
import type { ClientConnection } from "./client-connection.ts";
import type { ServerConnection } from "./server-connection.ts";

/** True when it has them; else they are asked for, and the client waits until they are made (`serverReady`). */
export function adopt(client: ClientConnection, server: ServerConnection): boolean {
  const { settings } = client.session;
  const before = server.settings;
  server.settings = settings;
  if (before === settings || before.equals(settings)) return true;
  client.context.counters.settingsReplayed++;
  client.isSettling = true;
  server.settingsBefore = before;
  server.ask(settings.sqlFrom(before));
  server.flush();
  return false;
}
