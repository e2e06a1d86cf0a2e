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
import type { Held } from "./edge-disk.ts";
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
  const held = serving.edge?.heldOf(answer.stored);
  if (!sending.mayHold(answer.stored.entry.bodyBytes, held)) return false;
  const viewed = serving.edge?.viewed;
  request.close ||= request.down?.listener.closing === true;
  const isPlain = viewed === undefined || (!viewed.hasConditional && !viewed.hasRange);
  const status = isPlain ? sendWhole(sender, answer) : sendAsAsked(sender, answer);
  answer.stored.entry.countHit();
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
  const held = serving.edge?.heldOf(answer.stored);
  if (request.method === METHOD.head || bodyBytes === 0) exchange.sendDown(scratch, 0, at);
  else if (held !== undefined) sending.holdOnDisk(held, scratch.slice(0, at), 0, bodyBytes);
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

/** What Cache-Status says of a stored answer, without the name. */
export function statusOf({ stored, nowMs, detail, forward }: StoredAnswer): string {
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
      return sendHead(sender, answer, { status: 304, length: undefined, range: undefined });
    case "unsatisfiable": {
      const range = contentRange(asked, bodyBytes);
      return sendHead(sender, answer, { status: 416, length: 0, range });
    }
    case "part": {
      const { first, last } = asked;
      const range = contentRange(asked, bodyBytes);
      const head = { status: 206, length: last + 1 - first, range } as const;
      const held = serving.edge?.heldOf(stored);
      if (held !== undefined && request.method !== METHOD.head)
        return sendPartOnDisk(sender, answer, { head, held, first, last });
      if (sendHead(sender, answer, head) !== 206) return stored.status;
      if (request.method !== METHOD.head) sending.hold(bytes, bodyOffset + first, bodyOffset + last + 1);
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

function sendHead(sender: Sender, answer: StoredAnswer, other: OtherHead): number {
  const at = putHead(sender, answer, other);
  if (at === 0) return sendWhole(sender, answer);
  sender.exchange.sendDown(sender.serving.wire.scratch, 0, at);
  return other.status;
}

function sendPartOnDisk(
  sender: Sender,
  answer: StoredAnswer,
  part: { readonly head: OtherHead; readonly held: Held; readonly first: number; readonly last: number },
): number {
  const { head, held, first, last } = part;
  const at = putHead(sender, answer, head);
  if (at === 0) return sendWhole(sender, answer);
  sender.sending.holdOnDisk(held, sender.serving.wire.scratch.slice(0, at), first, last + 1);
  return head.status;
}

/** Writes a head into the scratch buffer: where it ends; 0 when it does not fit. */
function putHead({ serving, request }: Sender, answer: StoredAnswer, other: OtherHead): number {
  const { status, length, range } = other;
  const { scratch } = serving.wire;
  const stored = answer.stored.clientFields();
  const fields = status === 304 ? notModifiedFields(stored) : stored;
  const withRange = range === undefined ? fields : [...fields, ["Content-Range", range] as const];
  const head = headBytes(status, REASONS[status], withRange);
  if (head.length + 2 * OWN_BYTES_MAX > scratch.length) return 0;
  let at = copy(head, 0, head.length, scratch, 0);
  if (length !== undefined) at = putFraming(length, scratch, at);
  return putOwn(serving, request, answer, at);
}
