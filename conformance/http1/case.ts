/**
 * One raw request and what a proxy may do with it.
 *
 * The rules are RFC 9112 and RFC 9110; where they leave a choice, a request that another parser could read in another
 * way is one that our gateway refuses ("should"), while a peer may also forward it in one unambiguous form.
 */

/**
 * Whether the request is refused.
 * "must": it has no valid reading. "should": it has one, but is a known disguise. "may": both are fine.
 * "never": it is valid. "unfinished": it has not ended, so nothing complete may reach a target; waiting is fine.
 */
export type Refusal = "must" | "should" | "may" | "never" | "unfinished";

/** What a target must have received when the request was forwarded. */
export interface Forwarded {
  /** Complete requests that reach targets, default 1. More is a smuggled request. */
  readonly count: number;
  /** Request target of the first one. */
  readonly target?: string;
  /** Body of the first one, transfer coding removed. */
  readonly body?: string;
  /** Fields of the first one, by lower-case name. */
  readonly has?: Readonly<Record<string, string>>;
  /** Lower-case field names that the first one must not carry. */
  readonly lacks?: readonly string[];
}

/** A row of the corpus. */
export interface Case {
  readonly name: string;
  /** One character per byte. */
  readonly bytes: string;
  readonly refusal: Refusal;
  /** Statuses that count as a refusal. */
  readonly statuses: readonly number[];
  /** Whether closing (or waiting) without any answer is also a refusal. */
  readonly silence: boolean;
  readonly forwarded: Forwarded;
  /** Whether the connection must be closed after the answer. Default: after every refusal with 400. */
  readonly closes: boolean;
}

type Options = Partial<Omit<Case, "name" | "bytes" | "forwarded"> & Forwarded>;
type Row = (name: string, bytes: string, options?: Options) => Case;

/** Field that every well-formed request of the corpus carries. */
export const HOST = "Host: a.test\r\n";

/** No valid reading: refused by every proxy. */
export const must: Row = (name, bytes, options) => row("must", name, bytes, { count: 0, ...options });

/** A known disguise: refused by ours. */
export const should: Row = (name, bytes, options) => row("should", name, bytes, options);

/** Refused or forwarded in one unambiguous form. */
export const may: Row = (name, bytes, options) => row("may", name, bytes, options);

/** Valid: forwarded and answered. */
export const accept: Row = (name, bytes, options) => row("never", name, bytes, { statuses: [], ...options });

/** Not ended yet: nothing complete reaches a target. */
export const unfinished: Row = (name, bytes, options) =>
  row("unfinished", name, bytes, { count: 0, silence: true, statuses: [400, 408], ...options });

/** A GET with one more field line, given without its line end. */
export function get(field: string): string {
  return `GET / HTTP/1.1\r\n${HOST}${field}\r\n\r\n`;
}

/** A POST with the given field lines (without the last line end) and body. */
export function post(fields: string, body: string): string {
  return `POST / HTTP/1.1\r\n${HOST}${fields}\r\n\r\n${body}`;
}

/** A POST whose chunked body is given raw. */
export function chunked(body: string): string {
  return post("Transfer-Encoding: chunked", body);
}

function row(refusal: Refusal, name: string, bytes: string, options: Options = {}): Case {
  const { statuses = [400], silence = refusal !== "never", closes = false, ...rest } = options;
  const { count = 1, target, body, has, lacks } = rest;
  const forwarded = {
    count,
    ...(target === undefined ? {} : { target }),
    ...(body === undefined ? {} : { body }),
    ...(has === undefined ? {} : { has }),
    ...(lacks === undefined ? {} : { lacks }),
  };
  return { name, bytes, refusal, statuses, silence, forwarded, closes };
}
