/** What is known of the settings of a server connection's session, and of its client's: what the server reports, and what it does not. */
import { isSettable, setSql } from "../../router/settings.ts";
import type { SettingChange } from "../../router/statement-effects.ts";
import type { ServerConnection } from "./server-connection.ts";

/** The server says what a setting is now. */
export function reported(server: ServerConnection, name: string, value: string): void {
  const sql = server.pool.baseline?.get(name) === value ? undefined : setSql(name, value);
  server.settings = server.settings.with(name.toLowerCase(), sql);
}

/** …in an answer; true when the client has to hear of it. */
export function parameterChanged(
  server: ServerConnection,
  name: string,
  value: string,
  isOwn: boolean,
): boolean {
  if (!isSettable(name)) return true;
  reported(server, name, value);
  const key = name.toLowerCase();
  const now = server.settings.get(key);
  const { client } = server;
  if (key === "application_name" && client !== undefined) client.record.applicationName = value;
  if (client === undefined || (isOwn && !server.tells && client.session.settings.get(key) === now))
    return false;
  client.session.settings = client.session.settings.with(key, now);
  return true;
}

/** Settings that have been changed for the session. Those that the server reports are known already. */
export function applySettings(server: ServerConnection, changes: readonly SettingChange[]): void {
  const { client, pool } = server;
  for (const change of changes) {
    if (change.kind === "reset-all") forgetUnreported(server);
    else if (!pool.reports(change.name))
      server.settings = server.settings.with(change.name, change.kind === "set" ? change.sql : undefined);
    if (client?.reads?.session.settingChanged(change) !== true)
      client?.session.settingChanged(change, (name) => pool.reports(name));
  }
}

function forgetUnreported(server: ServerConnection): void {
  for (const name of server.settings.names())
    if (!server.pool.reports(name)) server.settings = server.settings.with(name, undefined);
}
