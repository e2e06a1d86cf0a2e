/** How an exchange ended: counted in the scoreboard, and written to the access log. */
import { GATEWAY_ERRORS, type GatewayErrorCode, reasonNumber } from "../errors.ts";
import { GROUP_COUNTER, NO_GROUP } from "../scoreboard.ts";
import type { Attempts } from "./attempts.ts";
import type { Request } from "./request.ts";
import type { Serving } from "./serving.ts";

/** What is known of it beside the request and its attempts. One object per exchange, filled in anew. */
export interface Outcome {
  status: number;
  bytesOut: number;
  /** Why it went wrong. */
  reason: GatewayErrorCode | undefined;
  isTunnel: boolean;
}

/** Counts and logs a finished exchange, and empties `outcome` for what comes next. What goes wrong here must not keep the connection from its next request. */
export function report(serving: Serving, request: Request, attempts: Attempts, outcome: Outcome): void {
  try {
    account(serving, request, attempts, outcome);
  } catch (error) {
    serving.reportCrash(error);
  }
  outcome.bytesOut = 0;
  outcome.reason = undefined;
}

/**
 * One that was for the cache alone is counted by the client's exchange that it was
 * for; one that the cache answered belongs to the first group of its rule.
 */
function account(serving: Serving, request: Request, attempts: Attempts, outcome: Outcome): void {
  const { plan } = request;
  if (plan?.cache !== undefined) countCached(serving, request, attempts, outcome);
  if (request.down?.isNobody !== false) return;
  const { column } = serving;
  const { startedMs, bytesIn } = request;
  const row = attempts.row === NO_GROUP && plan?.cache !== undefined ? plan.row : attempts.row;
  const durationMs = serving.nowMs() - startedMs;
  const { reason } = outcome;
  const status = reason === "client-closed" ? GATEWAY_ERRORS["client-closed"].status : outcome.status;
  serving.count(row, status);
  if (!outcome.isTunnel) column.observeLatency(row, durationMs);
  column.countGroup(row, GROUP_COUNTER.bytesIn, bytesIn);
  column.countGroup(row, GROUP_COUNTER.bytesOut, outcome.bytesOut);
  if (reason !== undefined) column.countReason(row, reasonNumber(reason));
  if (request.record !== undefined) log(serving, request, attempts, { ...outcome, status, durationMs });
}

/** How the cache answered, and what came from a target for it, be it for nobody but the store. */
function countCached(serving: Serving, request: Request, attempts: Attempts, outcome: Outcome): void {
  const { edge } = serving;
  const { cached, down } = request;
  const { bytesOut, reason } = outcome;
  if (edge === undefined) return;
  if (cached !== undefined && down?.isNobody === false) edge.store.countAnswer(cached, bytesOut);
  const isFromTarget = attempts.row !== NO_GROUP && (reason === undefined || reason === "client-closed");
  if (!isFromTarget) return;
  edge.count("fetches");
  edge.count("fetchedBytes", bytesOut);
}

function log(
  serving: Serving,
  { record, plan, number, bytesIn, down, cached }: Request,
  attempts: Attempts,
  { status, bytesOut, reason, durationMs }: Outcome & { readonly durationMs: number },
): void {
  if (record === undefined) return;
  serving.logAccess({
    ...record,
    status,
    durationMs,
    bytesIn,
    bytesOut,
    reason: reason ?? "",
    attempts: attempts.count,
    requestId: serving.requestIds.text(number),
    listener: down?.listener.config.name ?? "",
    rule: plan?.rule.name ?? "",
    group: attempts.groupName,
    target: attempts.targetId ?? "",
    cache: cached?.result ?? "-",
  });
}
