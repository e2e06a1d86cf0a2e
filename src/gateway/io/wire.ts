/**
 * Heads as they go out: to the target and to the client, written into one scratch buffer that all connections of a
 * worker share. What is written is handed to the kernel in the same turn, or copied by the outbox.
 */
import type { LimitsConfig } from "../../config/index.ts";
import {
  asBytes,
  FIELD,
  type RequestContext,
  type ResponseContext,
  type ResponseHead,
  text,
  writeForwardedRequest,
  writeForwardedResponse,
} from "../../http/index.ts";
import type { Peer } from "../peer.ts";
import type { RequestIds } from "../request-id.ts";
import type { RequestView } from "../route.ts";

/** Beyond the largest head: our own fields, and the small bodies that travel in the same write. */
const SCRATCH_SPARE_BYTES = 64 * 1024;

const NOTHING = new Uint8Array(0);

/** How a response goes to its client. One object, filled in anew for each. */
export interface ResponseForm {
  close: boolean;
  /** An HTTP/1.0 client asked to keep the connection, and may. */
  keepAlive10: boolean;
  upgrade: boolean;
  dechunk: boolean;
  requestNumber: number;
  /** Lines of our own, each with its CRLF. */
  extra: Uint8Array;
  /** See `ResponseContext`. */
  hidesInternal: boolean;
  replacesCacheControl: boolean;
}

export class Wire {
  readonly scratch: Uint8Array;
  readonly form: ResponseForm = {
    close: false,
    keepAlive10: false,
    upgrade: false,
    dechunk: false,
    requestNumber: 0,
    extra: NOTHING,
    hidesInternal: false,
    replacesCacheControl: false,
  };
  readonly #requestIds: RequestIds;
  readonly #request: RequestContext;
  readonly #response: ResponseContext;

  constructor(limits: LimitsConfig, requestIds: RequestIds, peer: Peer) {
    this.scratch = new Uint8Array(limits.headBytesMax + SCRATCH_SPARE_BYTES);
    this.#requestIds = requestIds;
    this.#request = {
      trusted: false,
      upgrade: false,
      forwarded: peer.block,
      requestId: NOTHING,
      hostOverride: undefined,
      fallbackHost: NOTHING,
    };
    this.#response = {
      close: false,
      keepAlive: false,
      upgrade: false,
      dechunk: false,
      requestId: NOTHING,
      dateLine: NOTHING,
      extra: NOTHING,
      edgeLine: NOTHING,
      hidesInternal: false,
      replacesCacheControl: false,
    };
  }

  /** The line by which responses say who answered. */
  setEdgeLine(line: Uint8Array): void {
    this.#response.edgeLine = line;
  }

  /** The Date of responses whose target sent none; called about once a second. */
  setTime(wallMs: number): void {
    this.#response.dateLine = asBytes(`Date: ${new Date(wallMs).toUTCString()}\r\n`);
  }

  /** Writes the request's head for a target; returns its length, or -1 when it does not fit. */
  writeRequest(
    view: RequestView,
    peer: Peer,
    requestNumber: number,
    host: Uint8Array | undefined,
    fallbackHost: Uint8Array,
  ): number {
    const context = this.#request;
    context.trusted = peer.trusted;
    context.upgrade = view.head.upgrade;
    context.forwarded = peer.block;
    context.requestId = this.#requestIds.write(requestNumber);
    context.hostOverride = host;
    context.fallbackHost = fallbackHost;
    return writeForwardedRequest(view.head, view.bytes, this.scratch, 0, context);
  }

  /** Writes a response's head for its client; returns its length, or -1 when it does not fit. */
  writeResponse(head: ResponseHead, bytes: Uint8Array): number {
    const context = this.#response;
    const { form } = this;
    context.close = form.close;
    context.keepAlive = form.keepAlive10;
    context.upgrade = form.upgrade;
    context.dechunk = form.dechunk;
    context.extra = head.informational ? NOTHING : form.extra;
    context.hidesInternal = form.hidesInternal;
    context.replacesCacheControl = form.replacesCacheControl && !head.informational;
    context.requestId = head.informational ? NOTHING : this.#requestIds.write(form.requestNumber);
    return writeForwardedResponse(head, bytes, this.scratch, 0, context);
  }
}

/** What a target said of its idle timeout (`Keep-Alive: timeout=5`), less a second for the way; Infinity if nothing. */
export function keepAliveHintMs(head: ResponseHead, bytes: Uint8Array): number {
  const i = head.fields.first(FIELD.keepAlive);
  if (i < 0) return Number.POSITIVE_INFINITY;
  const value = text(bytes, head.fields.valueStart[i] ?? 0, head.fields.valueEnd[i] ?? 0);
  const seconds = Number(/(?:^|[\s,])timeout=(\d{1,9})/i.exec(value)?.[1] ?? Number.POSITIVE_INFINITY);
  return Math.max(0, seconds * 1000 - 1000);
}
