/**
 * Holds a response of node:http back until its session is saved.
 *
 * The first of writeHead, write, end and flushHeaders begins the save; what the app writes meanwhile is kept in order
 * and written when it is done. So a client never sees the answer to a request whose changes are not in the store. A
 * later change is saved before the end. When the save fails before anything was written, the answer is an error.
 */

import type { OpenSession } from "../session.ts";
import { failureOf } from "./failure.ts";

/** What is used of a `ServerResponse`. */
export interface NodeResponse {
  readonly headersSent: boolean;
  statusCode: number;
  statusMessage: string;
  readonly writableNeedDrain: boolean;
  // oxlint-disable-next-line typescript/no-explicit-any -- overloads of Node that are passed on as they came
  writeHead: (...call: any[]) => any;
  // oxlint-disable-next-line typescript/no-explicit-any
  write: (...call: any[]) => any;
  // oxlint-disable-next-line typescript/no-explicit-any
  end: (...call: any[]) => any;
  flushHeaders: (this: unknown) => void;
  getHeader(name: string): number | string | readonly string[] | undefined;
  getHeaderNames(): string[];
  setHeader(name: string, value: string | readonly string[]): unknown;
  removeHeader(name: string): void;
  emit(event: string): boolean;
  destroy(error?: Error): unknown;
}

/** Replaces the response's methods until the session is committed. */
export function holdResponse(response: NodeResponse, open: OpenSession<never>): void {
  const real = {
    writeHead: response.writeHead,
    write: response.write,
    end: response.end,
    flushHeaders: response.flushHeaders,
  };
  let held: (() => void)[] | undefined;
  let hasRefused = false;

  const release = (): void => {
    Object.assign(response, { ...real, end: endLate });
    Reflect.deleteProperty(response, "headersSent");
    const calls = held ?? [];
    held = undefined;
    for (const call of calls) call();
    // Whoever was told to wait for "drain" is told to go on, unless the socket is full by now.
    if (hasRefused && !response.writableNeedDrain) response.emit("drain");
  };

  const fail = (error: unknown): void => {
    Object.assign(response, real);
    Reflect.deleteProperty(response, "headersSent");
    held = undefined;
    const failure = failureOf(error);
    // Not the session's own error: a bug of ours or of a store. The app's answer would hide it.
    const { status, headers, body } = failure ?? { status: 500, headers: {}, body: "" };
    for (const name of response.getHeaderNames()) response.removeHeader(name);
    response.statusMessage = "";
    response.writeHead(status, headers);
    response.end(body);
  };

  const hold = (call: () => void): void => {
    if (held !== undefined) {
      held.push(call);
      return;
    }
    held = [call];
    Object.defineProperty(response, "headersSent", { value: true, configurable: true });
    open.commit().then((cookies) => {
      addCookies(response, cookies);
      release();
    }, fail);
  };

  /** The end waits for what was changed after the head. */
  const endLate = (...call: unknown[]): NodeResponse => {
    response.end = real.end;
    open.commit().then(
      () => real.end.apply(response, call),
      (error: unknown) => response.destroy(error instanceof Error ? error : new Error(String(error))),
    );
    return response;
  };

  response.writeHead = (...call) => {
    hold(() => writeHeadWithCookies(response, call));
    return response;
  };
  response.write = (...call) => {
    hasRefused = true;
    hold(() => void response.write(...call));
    return false;
  };
  response.end = (...call) => {
    // What was changed while the first save was under way is not in it.
    hold(() => void endLate(...call));
    return response;
  };
  response.flushHeaders = () => hold(() => response.flushHeaders());
}

/** Adds Set-Cookie fields to those that the app has set. */
function addCookies(response: NodeResponse, cookies: readonly string[]): void {
  if (cookies.length > 0) response.setHeader("Set-Cookie", [...cookieList(response), ...cookies]);
}

function cookieList(response: NodeResponse): string[] {
  const present = response.getHeader("Set-Cookie");
  if (present === undefined) return [];
  return Array.isArray(present) ? [...(present as readonly string[])] : [String(present)];
}

/** `writeHead(…, { "set-cookie": … })` replaces what was set before: the session's cookies are put back beside the app's. */
function writeHeadWithCookies(response: NodeResponse, call: unknown[]): void {
  const cookies = cookieList(response);
  const last = call.at(-1);
  if (cookies.length === 0 || typeof last !== "object" || last === null) {
    response.writeHead(...call);
    return;
  }
  response.writeHead(
    ...call.slice(0, -1),
    Array.isArray(last) ? inList(last, cookies) : inObject(last, cookies),
  );
}

function inObject(headers: object, cookies: readonly string[]): object {
  const own = Object.entries(headers).filter(([name]) => name.toLowerCase() === "set-cookie");
  if (own.length === 0) return headers;
  const rest = Object.entries(headers).filter(([name]) => name.toLowerCase() !== "set-cookie");
  const values = own.flatMap(([, value]: [string, unknown]) => value).map(String);
  return { ...Object.fromEntries(rest), "set-cookie": [...values, ...cookies] };
}

/** Names and values in turn. */
function inList(headers: readonly unknown[], cookies: readonly string[]): unknown[] {
  if (Array.isArray(headers[0])) return [...headers, ...cookies.map((cookie) => ["set-cookie", cookie])];
  const has = headers.some((name, index) => index % 2 === 0 && String(name).toLowerCase() === "set-cookie");
  return has ? [...headers, ...cookies.flatMap((cookie) => ["set-cookie", cookie])] : [...headers];
}
