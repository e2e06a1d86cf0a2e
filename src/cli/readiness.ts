/**
 * Whether all that a config asks for has come up: pure, from one status.
 */
import type { ServiceStatus, Status } from "../app/index.ts";

/** What `up` is waiting for, or that it need not wait. */
export type Readiness =
  | { readonly kind: "ready" }
  | { readonly kind: "waiting" }
  /** Something keeps failing; it may still come up. */
  | { readonly kind: "failing"; readonly reason: string };

/** All workers serve and every service has its wanted number of healthy tasks. */
export function readinessOf({ controller, gateway, services }: Status): Readiness {
  if (controller.problem !== null) return { kind: "failing", reason: controller.problem };
  const failing = services.find(({ state }) => state === "failing" || state === "rolling-back");
  if (failing !== undefined) return { kind: "failing", reason: `${failing.name}: ${failing.message}` };
  const dead = gateway.workers.find(({ state }) => state === "dead");
  if (dead !== undefined) return { kind: "failing", reason: `gateway worker ${dead.index} does not stay up` };
  const serving = gateway.workers.length > 0 && gateway.workers.every(({ state }) => state === "serving");
  return serving && services.every(hasItsTasks) ? { kind: "ready" } : { kind: "waiting" };
}

function hasItsTasks({ healthy, wanted }: ServiceStatus): boolean {
  return healthy >= wanted;
}
