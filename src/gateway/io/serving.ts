/**
 * What all connections of one worker share: parsers, the scratch buffer, time, counters, and the way from bytes to
 * a request and back.
 *
 * Parsing and forwarding happen in one turn of the event loop, so one parsed head and one scratch buffer serve every
 * connection. An exchange that comes back later (its connection to the target had to be opened, or it is tried
 * again) has its head parsed anew; `#owner` tells whose head stands in the view.
 */
import type { Clock, Log, TimerWheel } from "../../base/index.ts";
import type { GatewayConfig, LimitsConfig, TimeoutsConfig } from "../../config/index.ts";
import { REQUEST_ERRORS, type RequestErrorCode, RequestHead, ResponseHead } from "../../http/index.ts";
import type { Transport } from "../../transport/index.ts";
import { type AccessEntry, type AccessFormat, accessFormat, UNREAD_REQUEST } from "../access-log.ts";
import { GATEWAY_ERRORS, type GatewayErrorCode, reasonNumber } from "../errors.ts";
import { Peers } from "../peer.ts";
import { RequestIds } from "../request-id.ts";
import type { RequestView } from "../route.ts";
import { type Column, countStatus, GROUP_COUNTER, NO_GROUP } from "../scoreboard.ts";
import { type Site, siteOf } from "../site.ts";
import type { Edge } from "./cache/edge.ts";
import { Nobody } from "./cache/nobody.ts";
import type { Recording } from "./cache/recording.ts";
import type { Client } from "./client.ts";
import type { Downstream } from "./downstream.ts";
import { Exchange } from "./exchange.ts";
import { pageReply, renderReply } from "./reply.ts";
import { Wire } from "./wire.ts";

/** Finished exchanges kept for the next requests, about 4 KiB each; beyond it a burst's worth goes to the collector. */
const FREE_MAX = 1024;

/** What a worker gives its connections. */
export interface ServingContext {
  readonly transport: Transport;
  readonly clock: Clock;
  readonly random: () => number;
  readonly wheel: TimerWheel;
  readonly column: Column;
  readonly log: Log;
  /** Takes finished access log lines; must not block. */
  readonly writeAccess: (line: string) => void;
}

export class Serving {
  readonly view: RequestView;
  readonly responseHead: ResponseHead;
  readonly requestIds: RequestIds;
  readonly peers: Peers;
  readonly wire: Wire;
  readonly transport: Transport;
  readonly wheel: TimerWheel;
  readonly column: Column;
  readonly random: () => number;
  readonly nowMs: () => number;
  readonly wallMs: () => number;
  /** Where rules with a cache keep their responses; set once there is such a rule. */
  edge: Edge | undefined;
  /** What a PURGE has to bring; undefined: it is a method like any other. */
  purgeToken: string | undefined;
  readonly #context: ServingContext;
  readonly #free: Exchange[] = [];
  #config: GatewayConfig;
  #site: Site;
  #accessFormat: AccessFormat | undefined;
  #owner: Exchange | undefined;
  #connections = 0;

  constructor(config: GatewayConfig, context: ServingContext) {
    this.#context = context;
    this.#config = config;
    this.#site = siteOf(config);
    this.#accessFormat = accessFormat(config.accessLog);
    this.transport = context.transport;
    this.wheel = context.wheel;
    this.column = context.column;
    this.random = context.random;
    this.nowMs = () => context.clock.nowMs();
    this.wallMs = () => context.clock.wallMs();
    this.view = { head: new RequestHead(config.limits), bytes: new Uint8Array(0), clientIp: "" };
    this.responseHead = new ResponseHead(config.limits);
    this.requestIds = new RequestIds(context.random);
    this.peers = new Peers(config);
    this.wire = new Wire(config.limits, this.requestIds, this.peers.at("", 0));
    this.wire.setEdgeLine(this.#site.edgeLine);
    this.tick();
  }

  get limits(): LimitsConfig {
    return this.#config.limits;
  }
  get timeouts(): TimeoutsConfig {
    return this.#config.timeouts;
  }
  /** The Date of now, as HTTP writes it. */
  get dateText(): string {
    return new Date(this.wallMs()).toUTCString();
  }
  get name(): string {
    return this.#config.name;
  }
  /** What this installation calls itself. */
  get site(): Site {
    return this.#site;
  }
  get connections(): number {
    return this.#connections;
  }
  get logsAccess(): boolean {
    return this.#accessFormat !== undefined;
  }

  /** New settings for requests from now on. Limits of heads hold until the worker is replaced: buffers are sized by them. */
  update(config: GatewayConfig): void {
    this.#config = { ...config, limits: { ...config.limits, ...headLimits(this.#config.limits) } };
    this.#accessFormat = accessFormat(config.accessLog);
    this.peers.update(config);
    this.#site = siteOf(config);
    this.wire.setEdgeLine(this.#site.edgeLine);
  }

  /** About once a second. */
  tick(): void {
    this.wire.setTime(this.wallMs());
  }

  connectionOpened(): void {
    this.column.setConnections(++this.#connections);
  }
  connectionClosed(): void {
    this.column.setConnections(--this.#connections);
  }

  /**
   * Reads the request at `bytes[at, end)` and begins its exchange. Returns where the next one begins; `at` when the
   * head has not arrived whole.
   */
  readRequest(down: Downstream, bytes: Uint8Array, at: number, end: number): number {
    const { head } = this.view;
    const used = head.parse(bytes, at, end, down.headResume);
    if (used === 0) {
      down.headResume = head.resume;
      return at;
    }
    down.headResume = 0;
    if (used < 0) {
      this.#refuseGrammar(down, head.error ?? "method-invalid");
      return end;
    }
    this.view.bytes = bytes;
    this.view.clientIp = this.peers.clientIp(down.peer, head, bytes);
    const exchange = this.#free.pop() ?? new Exchange(this);
    down.exchange = exchange;
    this.#owner = exchange;
    const next = exchange.begin(down, bytes, at, at + used, end);
    // What was read is borrowed: an exchange that comes back later reads its own copy.
    this.#owner = undefined;
    return next;
  }

  /** Begins an exchange that is for the cache alone, with the request head `bytes`, which is whole. */
  fetch(recording: Recording, bytes: Uint8Array): void {
    const { client, plan } = recording.order;
    const nobody = new Nobody(client, this, recording);
    const { view } = this;
    if (view.head.parse(bytes, 0, bytes.length) !== bytes.length)
      throw new Error("cache: a request that is no request");
    view.bytes = bytes;
    view.clientIp = this.peers.clientIp(nobody.peer, view.head, bytes);
    const exchange = this.#free.pop() ?? new Exchange(this);
    nobody.exchange = exchange;
    this.#owner = exchange;
    exchange.beginFetch(nobody, plan, bytes, recording);
    this.#owner = undefined;
  }

  /** The view of an exchange's request; parsed again, from its own copy, unless it was just read. */
  viewOf(exchange: Exchange, down: Client, copy: Uint8Array, headEnd: number): RequestView {
    if (this.#owner === exchange) return this.view;
    this.view.head.parse(copy, 0, headEnd);
    this.view.bytes = copy;
    this.view.clientIp = this.peers.clientIp(down.peer, this.view.head, copy);
    this.#owner = undefined;
    return this.view;
  }

  /** Takes a finished exchange back for the next request. */
  recycle(exchange: Exchange): void {
    if (this.#owner === exchange) this.#owner = undefined;
    if (this.#free.length < FREE_MAX) this.#free.push(exchange);
  }

  /** A request that breaks the grammar: answered, counted, and its connection closed, for what follows cannot be trusted. */
  #refuseGrammar(down: Downstream, code: RequestErrorCode): void {
    this.#owner = undefined;
    this.#turnAway(down, "bad-request", { ...REQUEST_ERRORS[code], code });
  }

  /** Turns a client away before there is an exchange. */
  refuse(down: Downstream, code: GatewayErrorCode): void {
    this.#turnAway(down, code, { ...GATEWAY_ERRORS[code], code });
  }

  #turnAway(
    down: Downstream,
    reason: GatewayErrorCode,
    row: { status: number; code: string; message: string; mend: string },
  ): void {
    const requestId = this.requestIds.text(this.requestIds.next());
    const reply = pageReply({ ...row, requestId, tried: [] }, "");
    const context = {
      close: true,
      keepAlive10: false,
      isHead: false,
      requestId,
      name: this.name,
      edge: this.#site.edge,
      wallMs: this.wallMs(),
    };
    const bytes = renderReply(reply, context);
    down.send(bytes, 0, bytes.length);
    this.count(NO_GROUP, row.status);
    this.column.countReason(NO_GROUP, reasonNumber(reason));
    this.#logTurnedAway(down, row, requestId, bytes.length);
    down.close(true);
  }

  #logTurnedAway(
    down: Downstream,
    row: { status: number; code: string },
    requestId: string,
    bytesOut: number,
  ): void {
    this.logAccess({
      ...UNREAD_REQUEST,
      clientIp: down.peer.ip,
      requestId,
      status: row.status,
      reason: row.code,
      durationMs: 0,
      bytesIn: 0,
      bytesOut,
      listener: down.listener.config.name,
      rule: "",
      group: "",
      target: "",
      attempts: 0,
      cache: "-",
    });
  }

  /** Counts a finished exchange. */
  count(row: number, status: number): void {
    this.column.countGroup(row, GROUP_COUNTER.requests, 1);
    this.column.countGroup(row, countStatus(status), 1);
  }

  /** Writes an access log line, when the log is on. */
  logAccess(entry: Omit<AccessEntry, "time">): void {
    if (this.#accessFormat === undefined) return;
    this.#context.writeAccess(this.#accessFormat({ time: new Date(this.wallMs()), ...entry }));
  }

  /** A bug of ours: the exchange in question ends with `internal`, the worker goes on. */
  reportCrash(error: unknown): void {
    this.#owner = undefined;
    const stack = error instanceof Error ? (error.stack ?? error.message) : String(error);
    this.#context.log.error("internal", { stack });
  }

  /** Says in the worker's log what went wrong on the target's side or ours; clients' mistakes are only counted. */
  reportFailure(
    code: GatewayErrorCode,
    fields: { detail: string | undefined; rule: string | undefined; target: string | undefined },
  ): void {
    if (GATEWAY_ERRORS[code].fault !== "downstream") this.#context.log.warn(code, fields);
  }
}

function headLimits({ requestLineBytesMax, headBytesMax, fieldsMax }: LimitsConfig): Partial<LimitsConfig> {
  return { requestLineBytesMax, headBytesMax, fieldsMax };
}
