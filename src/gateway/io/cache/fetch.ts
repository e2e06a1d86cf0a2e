/**
 * One fetch: a request of the cache's own to a target, what the policy says of the response, and its way into the store.
 *
 * The number of the latest purge is read before the request goes out, and the response is stored with it: what was
 * purged meanwhile is not fresh when it arrives.
 */
import {
  afterFailure,
  type CacheRequest,
  type Conditions,
  clientFields,
  type FieldLine,
  isFailure,
  storability,
  storedFields,
  updateFrom304,
  withheldFields,
} from "../../../edge/index.ts";
import { asBytes, type ResponseHead, reasonPhrase, text } from "../../../http/index.ts";
import type { Client } from "../client.ts";
import type { Plan } from "../plan.ts";
import type { Serving } from "../serving.ts";
import type { CacheKey, Edge, Keeping } from "./edge.ts";
import { Fetcher, type Landing } from "./fetcher.ts";
import { type Flight, headBytes } from "./flight.ts";
import { HeadedResponse, linesOf } from "./messages.ts";
import type { RuleCache } from "./rule-cache.ts";

/** How long requests for what cannot be kept do not wait for each other (Varnish's hit-for-miss). */
const MARK_S = 120;

/** What to fetch. */
export interface FetchOrder {
  readonly client: Pick<Client, "listener" | "peer">;
  readonly plan: Plan;
  readonly cache: RuleCache;
  readonly key: CacheKey;
  /** The client's request head, whole. It is copied before the order returns. */
  readonly request: { readonly bytes: Uint8Array; readonly end: number };
  /** Of the stored response that is asked about; undefined for a plain fetch. */
  readonly conditions: Conditions | undefined;
}

export class Fetch implements Landing {
  readonly flight: Flight;
  readonly fetcher: Fetcher;
  readonly #edge: Edge;
  readonly #serving: Serving;
  readonly #order: FetchOrder;
  readonly #startSequence: number;
  readonly #startWallMs: number;
  /** What is stored at the end: fields and meta of a response that is being kept. */
  #keeping: Pick<Keeping, "fields" | "meta" | "reason"> | undefined;

  constructor(edge: Edge, serving: Serving, order: FetchOrder, flight: Flight) {
    this.#edge = edge;
    this.#serving = serving;
    this.#order = order;
    this.flight = flight;
    this.fetcher = new Fetcher(order.client, serving, flight, this);
    this.#startSequence = edge.store.purgeSequence;
    this.#startWallMs = serving.wallMs();
  }

  get key(): CacheKey {
    return this.#order.key;
  }

  start(): void {
    const { plan, request, conditions } = this.#order;
    const head =
      conditions === undefined ? request.bytes.subarray(0, request.end) : conditional(request, conditions);
    this.#serving.fetch(this.fetcher, plan, head);
  }

  // --- what comes ---------------------------------------------------------------------------------------------

  began(flight: Flight, head: ResponseHead, bytes: Uint8Array): void {
    const { cache } = this.#order;
    const exchange = {
      request: this.#request(),
      response: new HeadedResponse(head, bytes),
      requestWallMs: this.#startWallMs,
      responseWallMs: this.#serving.wallMs(),
    };
    const lines = linesOf(head.fields, bytes).filter(([name]) => name.toLowerCase() !== "x-request-id");
    if (head.status === 304 && this.#order.conditions !== undefined) return this.#update(exchange, lines);
    if (isFailure(head.status) && this.#hasFallback(exchange.responseWallMs))
      return this.#standIn(flight, head.status);
    const verdict = storability(exchange, cache.policy);
    const reason = text(bytes, head.reasonStart, head.reasonEnd) || reasonPhrase(head.status);
    const withheld = verdict.kind === "store" ? withheldFields(exchange, cache.policy) : [];
    const fields = storedFields(lines, withheld, exchange.responseWallMs);
    if (verdict.kind === "store") this.#keeping = { fields, meta: verdict.meta, reason };
    else this.#refuse(flight);
    const isStored = verdict.kind === "store";
    const age = lines.filter(([name]) => name.toLowerCase() === "age");
    const client = [...clientFields(fields, cache.policy), ...age];
    flight.head = {
      status: head.status,
      fields: client,
      bytes: headBytes(head.status, reason, client),
      contentLength: head.bodyKind === "length" ? head.contentLength : head.bodyKind === "none" ? 0 : -1,
      meta: isStored ? verdict.meta : undefined,
      refusal: isStored ? undefined : verdict.reason,
    };
  }

  /** The response is not to be kept: who waited for it goes his own way, and nobody waits for the next. */
  #refuse(flight: Flight): void {
    const { hashHi, hashLo } = this.#order.key;
    flight.keeps = false;
    flight.isShared = false;
    this.#edge.store.markers.mark(hashHi, hashLo, Math.floor(this.#serving.wallMs() / 1000) + MARK_S);
    this.#edge.landed(this);
  }

  /** An error, and something older that is better than that. */
  #standIn(flight: Flight, status: number): void {
    flight.state = "failed";
    flight.failure = { code: "upstream-invalid", detail: `status-${status}`, tried: [] };
    flight.keeps = false;
    this.#edge.landed(this);
    flight.moved();
  }

  #hasFallback(nowMs: number): boolean {
    const { cache, key, plan } = this.#order;
    const stored = this.#edge.lookAgain(key);
    const allTargetsDown = plan.isDown;
    return afterFailure(stored, cache.policy, nowMs, { allTargetsDown }).kind === "stale";
  }

  /** 304: what is stored is right, and lives on with what the target says of it now. */
  #update(exchange: Parameters<typeof updateFrom304>[1], lines: readonly FieldLine[]): void {
    const { cache, key } = this.#order;
    const stored = this.#edge.lookAgain(key);
    if (stored === undefined) return;
    const whole = { meta: stored, fields: stored.fields(), bodyBytes: stored.entry.bodyBytes };
    const update = updateFrom304(whole, exchange, lines, cache.policy);
    if (update.kind === "updated") {
      const { bytes, bodyOffset, bodyBytes } = stored.entry;
      const body = bytes.slice(bodyOffset, bodyOffset + bodyBytes);
      const meta = { ...update.meta, status: stored.status };
      this.#store({ fields: update.fields, meta, reason: stored.reason }, [body]);
    } else if (update.kind === "mismatch") this.#edge.remove(key);
  }

  completed(flight: Flight): void {
    const keeping = this.#keeping;
    if (keeping !== undefined && flight.keeps) this.#store(keeping, flight.chunks);
    this.#edge.landed(this);
  }

  failed(): void {
    this.#edge.landed(this);
  }

  /** More than may be kept has come: it is passed on, and forgotten. */
  grew(flight: Flight): void {
    if (!flight.keeps || flight.total <= this.#order.cache.policy.maxObjectBytes) return;
    this.#keeping = undefined;
    this.#refuse(flight);
  }

  #store(what: Pick<Keeping, "fields" | "meta" | "reason">, body: readonly Uint8Array[]): void {
    const { cache, key } = this.#order;
    this.#request();
    this.#edge.keep({ ...what, body, cache, key, startSequence: this.#startSequence });
  }

  /** The request that was sent, in the worker's view. */
  #request(): CacheRequest {
    this.fetcher.exchange?.view();
    return this.#edge.viewed;
  }
}

/** Fields that the cache decides about by itself. */
const OWN_CONDITIONS = /^(if-none-match|if-modified-since|if-match|if-unmodified-since|if-range|range)$/i;

/** The client's request with our conditions in the place of its own, as a GET. */
function conditional(
  { bytes, end }: FetchOrder["request"],
  { ifNoneMatch, ifModifiedSince }: Conditions,
): Uint8Array {
  const lines = text(bytes, 0, end - 4).split("\r\n");
  const [requestLine = "", ...fields] = lines;
  const kept = fields.filter((line) => !OWN_CONDITIONS.test(line.slice(0, line.indexOf(":"))));
  if (ifNoneMatch !== undefined) kept.push(`If-None-Match: ${ifNoneMatch}`);
  if (ifModifiedSince !== undefined) kept.push(`If-Modified-Since: ${ifModifiedSince}`);
  return asBytes(`${[requestLine.replace(/^HEAD /, "GET "), ...kept].join("\r\n")}\r\n\r\n`);
}
