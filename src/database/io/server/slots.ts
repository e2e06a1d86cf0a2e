/** Physical slots: what keeps the log that one replica has not got yet. */
import type { ServerSource } from "../../orders.ts";
import { slotName } from "../../server-settings.ts";
import type { ControlClient } from "./control-client.ts";
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

/** Makes exactly the slots of `servers` on a primary: others of ours are dropped when nobody uses them. */
export async function setSlots(
  server: Pick<PostgresServer, "query">,
  servers: readonly string[],
): Promise<void> {
  const wanted = servers.map(slotName);
  const query = "select slot_name, active::text from pg_replication_slots where slot_type = 'physical'";
  const ours = (await server.query(query)).filter(
    (row) => row["slot_name"]?.startsWith(slotName("")) === true,
  );
  for (const row of ours)
    if (!wanted.includes(row["slot_name"] ?? "") && row["active"] === "false")
      await server.query("select pg_drop_replication_slot($1)", [row["slot_name"] ?? ""]);
  const names = ours.map((row) => row["slot_name"]);
  for (const name of wanted)
    if (!names.includes(name))
      await server.query("select pg_create_physical_replication_slot($1, true)", [name]);
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
  const client = await server.connectTo(source);
  try {
    await ensureSlot(client, slotName(server.name));
  } finally {
    client.close();
  }
}
