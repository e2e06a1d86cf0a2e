/** A lease that is held while a bench runs, as a primary's agent holds one: its record moves once a second. */
import { mkdirSync } from "node:fs";
import { firstRecord } from "../../src/database/failover/record.ts";
import { DEFAULT_FAILOVER } from "../../src/database/failover/settings.ts";
import { openLeaseStore } from "../../src/database/io/index.ts";

/** A lease under way. */
export interface HeldLease {
  /** What a router opens its store with. */
  readonly url: string;
  giveUp(): void;
}

/** Holds the lease of the server "a", in a store in `folder`. Rejects when the first record cannot be written. */
export async function holdLease(folder: string): Promise<HeldLease> {
  mkdirSync(folder, { recursive: true });
  const url = `file:${folder}`;
  const { ttlMs, renewMs } = DEFAULT_FAILOVER;
  const store = openLeaseStore({ url, cluster: "main", ttlMs });
  const record = firstRecord("a", 1, 0n, null);
  let revision = 0;
  const renew = async (): Promise<void> => {
    const reply = await store.write(record, revision);
    if (reply.kind !== "stored") throw new Error(`the lease in ${folder} was not renewed: ${reply.kind}`);
    revision = reply.stored.revision;
  };
  await renew();
  const timer = setInterval(() => void renew(), renewMs);
  return { url, giveUp: () => clearInterval(timer) };
}
