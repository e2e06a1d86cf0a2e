/** A stored response as one client gets it: whole, a part of it, or only that it has not changed. */
import {
  ageSeconds,
  contentRange,
  evaluate,
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

/** What is sent, and what is said of it. */
export interface StoredAnswer {
  readonly stored: StoredResponse;
  readonly nowMs: number;
  /** Why it is stale, if it is; "" for a fresh one. */
  readonly detail: string;
  /** "fwd=…": a target was asked first. */
  readonly forward?: string;
}

/** Sends the answer and ends the exchange. `edge.viewed` is the client's request, `stored` is in place. */
export function sendStored(
  exchange: Exchange,
  serving: Serving,
  request: Request,
  answer: StoredAnswer,
): void {
  const viewed = serving.edge?.viewed;
  request.close ||= request.down?.listener.closing === true;
  const isPlain = viewed === undefined || (!viewed.hasConditional && !viewed.hasRange);
  const status = isPlain
    ? sendWhole(exchange, serving, request, answer)
    : sendAsAsked(exchange, serving, request, answer);
  serving.edge?.release();
  exchange.answered(status);
}

/** The hot path: the head as it is stored, our own lines, the body; one write where they fit. */
function sendWhole(exchange: Exchange, serving: Serving, request: Request, answer: StoredAnswer): number {
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
    exchange.sendDown(bytes, bodyOffset, bodyOffset + bodyBytes);
  }
  return status;
}

/** Age, Cache-Status and what ends the head. */
function putOwn(serving: Serving, request: Request, answer: StoredAnswer, from: number): number {
  const { scratch } = serving.wire;
  const { stored, nowMs } = answer;
  let at = putAge(ageSeconds(stored, nowMs), scratch, from);
  at = putText(`Cache-Status: ${serving.name}; ${statusOf(answer)}\r\n`, scratch, at);
  return putEnd(serving, request, scratch, at);
}

function statusOf({ stored, nowMs, detail, forward }: StoredAnswer): string {
  const note = detail === "" ? "" : `; detail=${detail}`;
  return `${forward ?? "hit"}; ttl=${Math.floor(freshForMs(stored, nowMs) / 1000)}${note}`;
}

/** The request has conditions or wants a part. */
function sendAsAsked(exchange: Exchange, serving: Serving, request: Request, answer: StoredAnswer): number {
  const { stored } = answer;
  const viewed = serving.edge?.viewed;
  if (viewed === undefined) return sendWhole(exchange, serving, request, answer);
  const { bodyBytes, bodyOffset, bytes } = stored.entry;
  const asked = evaluate(viewed, stored, bodyBytes, answer.nowMs);
  switch (asked.kind) {
    case "whole":
      return sendWhole(exchange, serving, request, answer);
    case "not-modified":
      return sendHead(exchange, serving, request, answer, {
        status: 304,
        length: undefined,
        range: undefined,
      });
    case "unsatisfiable": {
      const range = contentRange(asked, bodyBytes);
      return sendHead(exchange, serving, request, answer, { status: 416, length: 0, range });
    }
    case "part": {
      const { first, last } = asked;
      const start = bodyOffset + first;
      const end = bodyOffset + last + 1;
      const range = contentRange(asked, bodyBytes);
      sendHead(exchange, serving, request, answer, { status: 206, length: end - start, range });
      if (request.method !== METHOD.head) exchange.sendDown(bytes, start, end);
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

// oxlint-disable-next-line max-params -- the four of every answer here, and the one that differs
function sendHead(
  exchange: Exchange,
  serving: Serving,
  request: Request,
  answer: StoredAnswer,
  { status, length, range }: OtherHead,
): number {
  const { scratch } = serving.wire;
  const stored = answer.stored.clientFields();
  const fields = status === 304 ? notModifiedFields(stored) : stored;
  const withRange = range === undefined ? fields : [...fields, ["Content-Range", range] as const];
  const head = headBytes(status, REASONS[status], withRange);
  if (head.length + 2 * OWN_BYTES_MAX > scratch.length) return sendWhole(exchange, serving, request, answer);
  let at = copy(head, 0, head.length, scratch, 0);
  if (length !== undefined) at = putFraming(length, scratch, at);
  exchange.sendDown(scratch, 0, putOwn(serving, request, answer, at));
  return status;
}
