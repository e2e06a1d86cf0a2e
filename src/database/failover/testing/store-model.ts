/** A lease store in the simulation: one value, compare-and-set, behind a network that loses requests and answers. */
import type { StoreReply } from "../lease-store.ts";
import type { MemberOrder } from "../state.ts";
import type { World } from "./world.ts";

/** Name of the store's machine. */
export const STORE = "store";

/** Sends a request; `reply` is called when an answer arrives, which may be never. */
export function askStore(
  world: World,
  from: string,
  request: Extract<MemberOrder, { kind: "read" | "write" }>,
  reply: (reply: StoreReply) => void,
): void {
  const slowMs = world.nowMs < world.storeSlowUntilMs ? world.between(50, 900) : 0;
  world.after(slowMs, () =>
    world.send(from, STORE, () => {
      if (world.nowMs < world.storeDownUntilMs) return;
      const answer = serve(world, request);
      world.send(STORE, from, () => reply(answer));
    }),
  );
}

function serve(world: World, request: Extract<MemberOrder, { kind: "read" | "write" }>): StoreReply {
  const { stored } = world;
  if (stored === undefined) return { kind: "failed", reason: "empty", message: "the store is empty" };
  if (request.kind === "read") return { kind: "stored", stored };
  if (request.revision !== stored.revision && world.mutation.writesBlindly !== true)
    return { kind: "conflict", stored };
  const next = { record: request.record, revision: stored.revision + 1 };
  if (next.record.term !== stored.record.term || next.record.phase !== stored.record.phase)
    world.note(`store: term ${next.record.term} ${next.record.server} ${next.record.phase}`);
  world.stored = next;
  return { kind: "stored", stored: next };
}
