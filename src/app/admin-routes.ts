/** The admin API as rows: method, path, what it does. Types are in api.ts. */

import { formatProblem } from "../config/index.ts";
import type { RequestOutcome } from "../control/index.ts";
import { isBatchProblem, readPurgeBatch } from "../edge/index.ts";
import type { AdminAnswer, AdminRequest, AdminRoute } from "./admin-server.ts";
import type * as api from "./api.ts";
import type { CacheLedger } from "./cache-ledger.ts";
import { type CacheUsageLook, SETTLE_S, SETTLE_S_MAX } from "./cache-usage.ts";
import type { Propagation } from "./propagation.ts";
import type { Purger } from "./purger.ts";
import { deployStatus, readStatus, type StatusSources, scaleExplanation } from "./status.ts";

/** What the routes act on. */
export interface AdminActions extends StatusSources {
  readonly purger: Purger;
  readonly ledger: CacheLedger;
  readonly usage: CacheUsageLook;
  readonly propagation: Propagation;
  readonly reload: () => Promise<api.ReloadResult>;
  /** Begins to take everything down; the controller ends by itself. */
  readonly down: () => void;
}

/** All routes. */
export function adminRoutes(actions: AdminActions): AdminRoute[] {
  return [
    { method: "GET", path: "/v1/status", handle: () => ok(readStatus(actions)) },
    { method: "GET", path: "/v1/events", handle: (request) => ok(events(actions, request)) },
    { method: "GET", path: "/v1/services/:name/scale", handle: (request) => explainScale(actions, request) },
    { method: "POST", path: "/v1/services/:name/scale", handle: (request) => scale(actions, request) },
    { method: "POST", path: "/v1/services/:name/deploy", handle: (request) => deploy(actions, request) },
    { method: "POST", path: "/v1/targets/:group/:id/drain", handle: (request) => drain(actions, request) },
    { method: "POST", path: "/v1/cache/purge", handle: (request) => purge(actions, request) },
    { method: "POST", path: "/v1/edges/:edge/purges", handle: (request) => takePurges(actions, request) },
    { method: "GET", path: "/v1/cache/purges", handle: ({ query }) => ok(purges(actions, query)) },
    { method: "GET", path: "/v1/cache/traffic", handle: () => ok(actions.ledger.report()) },
    { method: "GET", path: "/v1/cache/report", handle: (request) => cacheReport(actions, request) },
    { method: "POST", path: "/v1/reload", handle: async () => ok(await actions.reload()) },
    { method: "POST", path: "/v1/down", handle: () => down(actions) },
  ];
}

function ok(data: unknown): AdminAnswer {
  return { kind: "ok", data };
}

function events({ controller }: AdminActions, { query }: AdminRequest): api.EventRecord[] {
  const after = Number(query.get("after") ?? 0);
  return controller.events(after).map(({ number, atMs, kind, service, task, message }) => ({
    number,
    at: new Date(atMs).toISOString(),
    event: kind,
    message,
    subject: task ?? service ?? "controller",
  }));
}

function explainScale(actions: AdminActions, { names }: AdminRequest): AdminAnswer {
  const explanation = scaleExplanation(names["name"] ?? "", actions);
  return explanation === undefined ? unknownService(actions, names["name"] ?? "") : ok(explanation);
}

async function scale(actions: AdminActions, { names, body }: AdminRequest): Promise<AdminAnswer> {
  const name = names["name"] ?? "";
  const outcome = await actions.controller.scale(name, Number(body["tasks"] ?? Number.NaN));
  return refusal(outcome) ?? ok(serviceOf(actions, name));
}

async function deploy(actions: AdminActions, { names }: AdminRequest): Promise<AdminAnswer> {
  const name = names["name"] ?? "";
  const refused = refusal(await actions.controller.deploy(name));
  if (refused !== undefined) return refused;
  const begun = actions.controller.status().services.find((service) => service.name === name)?.deploy;
  return ok(begun === undefined ? null : deployStatus(name, begun));
}

async function drain(actions: AdminActions, { names, body }: AdminRequest): Promise<AdminAnswer> {
  const { group = "", id = "" } = names;
  const refused = refusal(await actions.controller.drain(group, id, body["undo"] === true));
  if (refused !== undefined) return refused;
  const targets = readStatus(actions).gateway.groups.find(({ name }) => name === group)?.targets;
  return ok(targets?.find((target) => target.id === id || target.task === id) ?? null);
}

/** How long a purge waits for the other installations, unless it is told otherwise, and at most. */
const WAIT_MS = 5_000;
const WAIT_MS_MAX = 60_000;

function purge({ purger }: AdminActions, { body, query }: AdminRequest): Promise<AdminAnswer> {
  const waitMs = Number(query.get("wait") ?? WAIT_MS);
  return purger.purge(body, Math.min(WAIT_MS_MAX, Math.max(0, Number.isNaN(waitMs) ? WAIT_MS : waitMs)));
}

/** From another installation of the site. */
async function takePurges(
  { propagation }: AdminActions,
  { names, body }: AdminRequest,
): Promise<AdminAnswer> {
  const from = names["edge"] ?? "";
  const batch = readPurgeBatch(body);
  if (isBatchProblem(batch)) return badBatch(formatProblem(batch));
  if (!/^[a-z0-9][a-z0-9_-]{0,62}$/i.test(from)) return badBatch("the name in the path is none of an edge");
  const receipt = await propagation.take(from, batch);
  return receipt === undefined ? BUSY : ok(receipt);
}

function badBatch(message: string): AdminAnswer {
  const mend = "give both installations the same version of tenfold";
  return { kind: "error", status: 400, code: "bad-batch", message, mend };
}

const BUSY: AdminAnswer = {
  kind: "error",
  status: 503,
  code: "cache-busy",
  message: "the purges cannot be carried out now",
  mend: "send them again; those that were carried out are once more, which does no harm",
};

function purges({ purger }: AdminActions, query: URLSearchParams): readonly api.PurgeRecord[] {
  return purger.records(Number(query.get("after") ?? 0));
}

async function cacheReport({ usage }: AdminActions, { query }: AdminRequest): Promise<AdminAnswer> {
  const settleS = Number(query.get("settle") ?? SETTLE_S);
  if (settleS >= 0 && settleS <= SETTLE_S_MAX) return ok(await usage.look(Math.floor(settleS)));
  return {
    kind: "error",
    status: 400,
    code: "bad-settle",
    message: `settle is "${query.get("settle")}"`,
    mend: `write seconds from 0 to ${SETTLE_S_MAX}`,
  };
}

function down(actions: AdminActions): AdminAnswer {
  actions.down();
  return ok({ stopping: true });
}

function refusal(outcome: RequestOutcome): AdminAnswer | undefined {
  if (outcome.kind === "accepted") return undefined;
  const status = outcome.reason.startsWith("unknown-") ? 404 : 409;
  return {
    kind: "error",
    status,
    code: outcome.reason,
    message: outcome.message,
    mend: "see `tenfold status`",
  };
}

function unknownService(actions: AdminActions, name: string): AdminAnswer {
  const names = actions.controller.status().services.map((service) => service.name);
  const mend = names.length === 0 ? "there are no services" : `services: ${names.join(", ")}`;
  return {
    kind: "error",
    status: 404,
    code: "unknown-service",
    message: `there is no service ${name}`,
    mend,
  };
}

function serviceOf(actions: AdminActions, name: string): api.ServiceStatus | undefined {
  return readStatus(actions).services.find((service) => service.name === name);
}
