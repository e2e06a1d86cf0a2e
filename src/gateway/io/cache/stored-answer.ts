/** A stored response as one client gets it: whole, a part of it, or only that it has not changed. */
import {
  ageSeconds,
  contentRange,
  evaluate,
  FLAG,
  freshForMs,
  notModifiedFields,
  type StoredResponse,
} from "../../../edge/index.ts";
import { copy, METHOD } from "../../../http/index.ts";
import type { Exchange } from "../exchange.ts";
import type { Request } from "../request.ts";
import type { Serving } from "../serving.ts";
import { headBytes } from "./messages.ts";
import { OWN_BYTES_MAX, putAge, putEnd, putFraming, putText } from "./own-lines.ts";
import type { Sending } from "./sending.ts";

/** What is sent, and what is said of it. */
export interface StoredAnswer {
  readonly stored: StoredResponse;
  readonly nowMs: number;
  /** Why it is stale, if it is; "" for a fresh one. */
  readonly detail: string;
  /** "fwd=…": a target was asked first. */
  readonly forward?: string;
}

/** Who sends it, and to whom. */
export interface Sender {
  readonly exchange: Exchange;
  readonly serving: Serving;
  readonly request: Request;
  readonly sending: Sending;
}

/**
 * Sends the answer, which ends the exchange. `edge.viewed` is the client's request, `stored` is in place. False when it
 * cannot be held for as long as a slow client may take.
 */
export function sendStored(sender: Sender, answer: StoredAnswer): boolean {
  const { serving, request, sending } = sender;
  if (!sending.mayHold(answer.stored.entry.bodyBytes)) return false;
  const viewed = serving.edge?.viewed;
  request.close ||= request.down?.listener.closing === true;
  const isPlain = viewed === undefined || (!viewed.hasConditional && !viewed.hasRange);
  const status = isPlain ? sendWhole(sender, answer) : sendAsAsked(sender, answer);
  serving.edge?.release();
  sending.start(status);
  return true;
}

/** The hot path: the head as it is stored, our own lines, the body; one write where they fit. */
function sendWhole({ exchange, serving, request, sending }: Sender, answer: StoredAnswer): number {
  const { entry, clientHeadOffset, status } = answer.stored;
  const { scratch } = serving.wire;
  const { bytes, bodyOffset, bodyBytes } = entry;
  let at = copy(bytes, clientHeadOffset, bodyOffset, scratch, 0);
  at = putOwn(serving, request, answer, at);
  if (request.method === METHOD.head || bodyBytes === 0) exchange.sendDown(scratch, 0, at);
  else if (at + bodyBytes <= scratch.length) {
    exchange.sendDown(scratch, 0, copy(bytes, bodyOffset, bodyOffset + bodyBytes, scratch, at));
  } else {
    exchange.sendDown(scratch, 0, at);
    sending.hold(bytes, bodyOffset, bodyOffset + bodyBytes);
  }
  return status;
}

/** Age, Cache-Status and what ends the head. */
function putOwn(serving: Serving, request: Request, answer: StoredAnswer, from: number): number {
  const { scratch } = serving.wire;
  const { stored, nowMs } = answer;
  let at = putAge(ageSeconds(stored, nowMs), scratch, from);
  at = putText(`Cache-Status: ${serving.site.cacheName}; ${statusOf(answer)}\r\n`, scratch, at);
  return putEnd(serving, request, scratch, at);
}

function statusOf({ stored, nowMs, detail, forward }: StoredAnswer): string {
  const note = detail === "" ? "" : `; detail=${detail}`;
  const leftS = Math.floor(freshForMs(stored, nowMs) / 1000);
  // What was purged softly is past its time, whatever is left of that: a cache that asked us must not keep it as fresh.
  const ttl = (stored.flags & FLAG.purged) === 0 ? leftS : Math.min(-1, leftS);
  return `${forward ?? "hit"}; ttl=${ttl}${note}`;
}

/** The request has conditions or wants a part. */
function sendAsAsked(sender: Sender, answer: StoredAnswer): number {
  const { stored } = answer;
  const { request, sending, serving } = sender;
  const viewed = serving.edge?.viewed;
  if (viewed === undefined) return sendWhole(sender, answer);
  const { bodyBytes, bodyOffset, bytes } = stored.entry;
  const asked = evaluate(viewed, stored, bodyBytes, answer.nowMs);
  switch (asked.kind) {
    case "whole":
      return sendWhole(sender, answer);
    case "not-modified":
      return sendHead(sender, answer, {
        status: 304,
        length: undefined,
        range: undefined,
      });
    case "unsatisfiable": {
      const range = contentRange(asked, bodyBytes);
      return sendHead(sender, answer, { status: 416, length: 0, range });
    }
    case "part": {
      const { first, last } = asked;
      const start = bodyOffset + first;
      const end = bodyOffset + last + 1;
      const range = contentRange(asked, bodyBytes);
      sendHead(sender, answer, { status: 206, length: end - start, range });
      if (request.method !== METHOD.head) sending.hold(bytes, start, end);
      return 206;
    }
  }
}

interface OtherHead {
  readonly status: 206 | 304 | 416;
  readonly length: number | undefined;
  readonly range: string | undefined;
}

const REASONS = { 206: "Partial Content", 304: "Not Modified", 416: "Range Not Satisfiable" } as const;

function sendHead(sender: Sender, answer: StoredAnswer, { status, length, range }: OtherHead): number {
  const { exchange, serving, request } = sender;
  const { scratch } = serving.wire;
  const stored = answer.stored.clientFields();
  const fields = status === 304 ? notModifiedFields(stored) : stored;
  const withRange = range === undefined ? fields : [...fields, ["Content-Range", range] as const];
  const head = headBytes(status, REASONS[status], withRange);
  if (head.length + 2 * OWN_BYTES_MAX > scratch.length) return sendWhole(sender, answer);
  let at = copy(head, 0, head.length, scratch, 0);
  if (length !== undefined) at = putFraming(length, scratch, at);
  exchange.sendDown(scratch, 0, putOwn(serving, request, answer, at));
  return status;
}
