/** What people ask of a service: checked, and turned into its next record. */
import { noRoom } from "./deploy.ts";
import { beginDeploy, clampWanted, type Service } from "./service.ts";

/** Whether a request was taken, and what follows from it or what to mend. */
export type RequestOutcome =
  | { readonly kind: "accepted"; readonly message: string }
  | {
      readonly kind: "refused";
      readonly reason: "unknown-service" | "unknown-target" | "no-room" | "bad-number";
      /** Names the thing and the mend. */
      readonly message: string;
    };

/** An outcome and, when accepted, the service as it is to be from now on. */
export interface Request {
  readonly outcome: RequestOutcome;
  readonly service?: Service;
}

/** Tasks that one service may be asked for: a quarter of what one snapshot can hold. */
const TASKS_MAX = 1024;

/** A deploy of the service as configured. */
export function deployRequest(service: Service | undefined, name: string, nowMs: number): Request {
  if (service === undefined) return refused("unknown-service", unknownService(name));
  const problem = noRoom(name, service.wanted, service.config.deploy);
  if (problem !== undefined) return refused("no-room", problem);
  const begun = beginDeploy(service, "requested", nowMs);
  const message = `deploy of ${name} to ${begun.deploy?.to ?? begun.current} has begun`;
  return { outcome: { kind: "accepted", message }, service: begun };
}

/** Another number of tasks. */
export function scaleRequest(service: Service | undefined, name: string, wanted: number): Request {
  if (service === undefined) return refused("unknown-service", unknownService(name));
  if (!Number.isInteger(wanted) || wanted < 0 || wanted > TASKS_MAX) {
    return refused(
      "bad-number",
      `${wanted} is not a number of tasks: give a whole number from 0 to ${TASKS_MAX}`,
    );
  }
  const clamped = clampWanted(service.config, wanted);
  const bounds = service.config.autoscale;
  const note = clamped === wanted ? "" : ` (autoscale keeps it between ${bounds?.min} and ${bounds?.max})`;
  const message = `${name} goes from ${service.wanted} to ${clamped} tasks${note}`;
  return { outcome: { kind: "accepted", message }, service: { ...service, wanted: clamped } };
}

function refused(reason: Extract<RequestOutcome, { kind: "refused" }>["reason"], message: string): Request {
  return { outcome: { kind: "refused", reason, message } };
}

function unknownService(name: string): string {
  return `no service ${name}: see \`tenfold status\` for those there are`;
}
