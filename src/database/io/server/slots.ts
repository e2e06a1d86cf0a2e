/** Physical slots: what keeps the log that one replica has not got yet. */
import type { ServerSource } from "../../orders.ts";
import { slotName } from "../../server-settings.ts";
import { type ControlClient, connectControl } from "./control-client.ts";
import { SUPERUSER } from "./data-directory.ts";
import type { PostgresServer } from "./postgres-server.ts";
import { ServerError } from "./problem.ts";

/** Sees to it that there is a slot that keeps the log from now on; one whose log is gone is made anew. */
export async function ensureSlot(client: ControlClient, slot: string): Promise<void> {
  const query = "select wal_status as status from pg_replication_slots where slot_name = $1";
  const [row] = await client.query(query, [slot]);
  if (row !== undefined && row["status"] !== "lost") return;
  if (row !== undefined) await client.query("select pg_drop_replication_slot($1)", [slot]);
  await client.query("select pg_create_physical_replication_slot($1, true)", [slot]);
}

/** Throws `slot-lost` when the log of a slot is gone: what was copied meanwhile can never catch up. */
export async function checkSlot(client: ControlClient, slot: string): Promise<void> {
  const query = "select wal_status as status from pg_replication_slots where slot_name = $1";
  const [row] = await client.query(query, [slot]);
  if (row?.["status"] !== "lost") return;
  const message = `while the copy was made, more was written than max_slot_wal_keep_size keeps: raise it`;
  throw new ServerError("slot-lost", message);
}

/** Sees to it that `source` keeps the log for `server`. Throws when it cannot be asked. */
export async function ensureSlotAt(source: ServerSource, server: PostgresServer): Promise<void> {
  const { host, port } = source;
  const { superuser: password } = server.options.passwords;
  const client = await connectControl({ host, port, user: SUPERUSER, password });
  try {
    await ensureSlot(client, slotName(server.name));
  } finally {
    client.close();
  }
}
