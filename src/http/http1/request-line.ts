/**
 * The request line (RFC 9112 §3): `METHOD SP target SP HTTP/1.1 CRLF`, with exactly one space twice.
 *
 * One empty line before it is let pass (§2.2), because old clients sent one after a body.
 */
import {
  asBytes,
  CR,
  equals,
  HASH,
  LF,
  METHOD_CHAR,
  PATH,
  QUESTION,
  SP,
  TARGET,
  text,
  ZERO,
} from "../bytes.ts";
import type { RequestErrorCode } from "./errors.ts";

/** Longer methods are refused; the longest registered one (UPDATEREDIRECTREF) has 17. */
const METHOD_BYTES_MAX = 32;

const HTTP_1 = asBytes("HTTP/1.");
/** "HTTP/1.1" */
const VERSION_BYTES = 8;
/** Any version that the grammar allows. */
const VERSION = /^HTTP\/[0-9]\.[0-9]$/;
const PRI = asBytes("PRI");

/** The request line as offsets. Reusable. */
export class RequestLine {
  methodStart = 0;
  methodEnd = 0;
  targetStart = 0;
  /** End of the target before its "?"; `targetEnd` when it has none. */
  pathEnd = 0;
  targetEnd = 0;
  /** 1 for HTTP/1.1, 0 for HTTP/1.0. */
  minorVersion = 1;
  /** Set when `parse` refused. */
  error: RequestErrorCode | undefined = undefined;

  /** Returns the offset after the line, 0 when its end is not there yet, -1 when refused. */
  parse(bytes: Uint8Array, from: number, end: number): number {
    let start = from;
    if (start < end && bytes[start] === CR) {
      if (start + 1 === end) return 0;
      if (bytes[start + 1] !== LF) return this.#refuse("bare-cr");
      start += 2;
      if (start < end && bytes[start] === CR) return this.#refuse("empty-lines");
    }
    const space = this.#method(bytes, start, end);
    if (space <= 0) return space;
    const second = this.#target(bytes, space + 1, end);
    return second <= 0 ? second : this.#version(bytes, second + 1, end);
  }

  #refuse(error: RequestErrorCode): -1 {
    this.error = error;
    return -1;
  }

  /** Offset of the space after the method. */
  #method(bytes: Uint8Array, start: number, end: number): number {
    let at = start;
    while (at < end && METHOD_CHAR[bytes[at] as number] === 1) at++;
    if (at - start > METHOD_BYTES_MAX) return this.#refuse("method-invalid");
    if (at === end) return 0;
    if (at === start || bytes[at] !== SP) return this.#refuseMethod(bytes[at] as number, at === start);
    this.methodStart = start;
    this.methodEnd = at;
    return at;
  }

  #refuseMethod(byte: number, atStart: boolean): -1 {
    if (byte === LF) return this.#refuse("bare-lf");
    return this.#refuse(atStart && byte === SP ? "request-line-spaces" : "method-invalid");
  }

  /** Offset of the space after the target. */
  #target(bytes: Uint8Array, start: number, end: number): number {
    let at = start;
    while (at < end && PATH[bytes[at] as number] === 1) at++;
    this.pathEnd = at;
    if (at < end && bytes[at] === QUESTION) {
      while (at < end && TARGET[bytes[at] as number] === 1) at++;
    }
    if (at === end) return 0;
    if (at === start || bytes[at] !== SP) return this.#refuseTarget(bytes, start, at, end);
    this.targetStart = start;
    this.targetEnd = at;
    return at;
  }

  #refuseTarget(bytes: Uint8Array, start: number, at: number, end: number): 0 | -1 {
    const byte = bytes[at];
    if (byte === LF) return this.#refuse("bare-lf");
    if (byte === HASH) return this.#refuse("target-fragment");
    if (byte === SP && at === start) return this.#refuse("request-line-spaces");
    if (byte !== CR) return this.#refuse("target-byte-invalid");
    if (at + 1 === end) return 0;
    return this.#refuse(bytes[at + 1] === LF ? "version-missing" : "bare-cr");
  }

  #version(bytes: Uint8Array, start: number, end: number): number {
    const after = start + VERSION_BYTES;
    if (after + 2 > end || bytes[after] !== CR || bytes[after + 1] !== LF)
      return this.#refuseVersion(bytes, start, end);
    const minor = (bytes[after - 1] as number) - ZERO;
    if (minor >>> 0 > 1 || !equals(bytes, start, after - 1, HTTP_1))
      return this.#refuseVersion(bytes, start, end);
    this.minorVersion = minor;
    return after + 2;
  }

  /** The last part of the line is no version we speak, or has not arrived. */
  #refuseVersion(bytes: Uint8Array, start: number, end: number): 0 | -1 {
    let at = start;
    while (at < end && TARGET[bytes[at] as number] === 1) at++;
    if (at === end) return 0;
    const byte = bytes[at];
    if (byte === LF) return this.#refuse("bare-lf");
    if (byte === SP) return this.#refuse("request-line-spaces");
    if (byte !== CR) return this.#refuse("version-malformed");
    if (at + 1 === end) return 0;
    if (bytes[at + 1] !== LF) return this.#refuse("bare-cr");
    return this.#refuse(
      VERSION.test(text(bytes, start, at)) ? this.#unsupported(bytes) : "version-malformed",
    );
  }

  #unsupported(bytes: Uint8Array): RequestErrorCode {
    return equals(bytes, this.methodStart, this.methodEnd, PRI) ? "http2-preface" : "version-unsupported";
  }
}
