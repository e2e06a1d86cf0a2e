/** What the bus carries: an invalidation and who made it, as JSON. */
import type { Invalidation } from "../store/store.ts";

/** A message as it is sent. */
export interface BusMessage {
  readonly from: string;
  readonly invalidation: Invalidation;
}

/** Undefined when it cannot be understood; then it may have been anything. */
export function parseMessage(text: string): BusMessage | undefined {
  try {
    const message = JSON.parse(text) as BusMessage;
    return typeof message.invalidation.kind === "string" ? message : undefined;
  } catch {
    return undefined;
  }
}
