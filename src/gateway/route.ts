/**
 * Rules compiled to conditions on the bytes of a request head.
 *
 * A listener's rules are tried in order, the first whose conditions all hold wins. Exact and prefix paths, methods
 * and hosts are compared on bytes; only globs, regular expressions and paths that need normalising make a string.
 *
 * Paths are matched in their normal form (RFC 3986 §6.2.2: percent-decoded unreserved characters, no dot segments,
 * no doubled slashes), so that "/api/../admin" or "/%61dmin" cannot slip past a rule for "/admin". What is
 * forwarded is what the client sent.
 */
import { type Cidr, contains, parseCidr } from "../base/index.ts";
import type { FieldMatch, MatchConfig, PathMatch, RuleConfig, ValueMatch } from "../config/index.ts";
import { asBytes, equals, findQuery, type RequestHead, text } from "../http/index.ts";

/** A request as rules see it. One object per worker, filled in anew for each request. */
export interface RequestView {
  head: RequestHead;
  bytes: Uint8Array;
  clientIp: string;
}

type Condition = (request: RequestView) => boolean;

/** One rule, ready to match. */
export interface Route {
  readonly rule: RuleConfig;
  readonly conditions: readonly Condition[];
}

/** Compiles a listener's rules, in order. */
export function compileRoutes(rules: readonly RuleConfig[]): Route[] {
  return rules.map((rule) => ({ rule, conditions: compileMatch(rule.match) }));
}

/** The first route whose conditions all hold, or undefined. */
export function findRoute<T extends Route>(routes: readonly T[], request: RequestView): T | undefined {
  for (let i = 0; i < routes.length; i++) {
    const route = routes[i];
    if (route !== undefined && holds(route.conditions, request)) return route;
  }
  return undefined;
}

function holds(conditions: readonly Condition[], request: RequestView): boolean {
  for (let i = 0; i < conditions.length; i++) {
    if (conditions[i]?.(request) !== true) return false;
  }
  return true;
}

function compileMatch(match: MatchConfig): Condition[] {
  const conditions: Condition[] = [];
  if (match.methods.length > 0) conditions.push(methodCondition(match.methods));
  if (match.hosts.length > 0) conditions.push(hostCondition(match.hosts));
  if (match.paths.length > 0) conditions.push(anyOf(match.paths.map(pathCondition)));
  for (const field of match.headers) conditions.push(headerCondition(field));
  for (const field of match.queries) conditions.push(queryCondition(field));
  if (match.sourceIps.length > 0) conditions.push(sourceCondition(match.sourceIps));
  return conditions;
}

function anyOf(conditions: readonly Condition[]): Condition {
  if (conditions.length === 1 && conditions[0] !== undefined) return conditions[0];
  return (request) => conditions.some((condition) => condition(request));
}

function methodCondition(methods: readonly string[]): Condition {
  const wanted = methods.map(asBytes);
  return ({ head, bytes }) =>
    wanted.some((method) => equals(bytes, head.methodStart, head.methodEnd, method));
}

/** "shop.example" or "*.shop.example" against the Host of the request, port ignored, case ignored. */
function hostCondition(hosts: readonly string[]): Condition {
  return ({ head, bytes }) => {
    const name = hostName(text(bytes, head.hostStart, head.hostEnd));
    return hosts.some((host) => (host.startsWith("*.") ? name.endsWith(host.slice(1)) : name === host));
  };
}

/** "Shop.example:8080" -> "shop.example"; "[::1]:80" -> "[::1]". */
function hostName(host: string): string {
  const colon = host.lastIndexOf(":");
  const bare = colon > host.lastIndexOf("]") ? host.slice(0, colon) : host;
  const lower = bare.toLowerCase();
  return lower.endsWith(".") ? lower.slice(0, -1) : lower;
}

function pathCondition(match: PathMatch): Condition {
  switch (match.kind) {
    case "exact":
      return exactPath(match.path);
    case "prefix":
      return prefixPath(match.path);
    case "glob":
    case "regex": {
      const pattern = new RegExp(match.source);
      return ({ head, bytes }) => pattern.test(normalPath(bytes, head.pathStart, head.pathEnd));
    }
  }
}

function exactPath(path: string): Condition {
  const wanted = asBytes(path);
  return ({ head, bytes }) => {
    if (equals(bytes, head.pathStart, head.pathEnd, wanted)) return true;
    return (
      needsNormalising(bytes, head.pathStart, head.pathEnd) &&
      normalPath(bytes, head.pathStart, head.pathEnd) === path
    );
  };
}

/** The folder itself and all below it: "/api" holds "/api", "/api/" and "/api/x", not "/apix". */
function prefixPath(path: string): Condition {
  const folder = path.endsWith("/") ? path.slice(0, -1) : path;
  const wanted = asBytes(folder);
  return ({ head, bytes }) => {
    if (needsNormalising(bytes, head.pathStart, head.pathEnd)) {
      const normal = normalPath(bytes, head.pathStart, head.pathEnd);
      return normal === folder || normal.startsWith(`${folder}/`);
    }
    const end = head.pathStart + wanted.length;
    if (end > head.pathEnd || !equals(bytes, head.pathStart, end, wanted)) return false;
    return end === head.pathEnd || bytes[end] === SLASH;
  };
}

function headerCondition(field: FieldMatch): Condition {
  const test = valueTest(field.value);
  return ({ head, bytes }) => test(head.value(bytes, field.name));
}

function queryCondition(field: FieldMatch): Condition {
  const test = valueTest(field.value);
  return ({ head, bytes }) => test(findQuery(bytes, head.queryStart, head.queryEnd, field.name));
}

function valueTest(match: ValueMatch): (value: string | undefined) => boolean {
  switch (match.kind) {
    case "present":
      return (value) => value !== undefined;
    case "absent":
      return (value) => value === undefined;
    case "exact":
      return (value) => value === match.value;
    case "regex": {
      const pattern = new RegExp(match.source);
      return (value) => value !== undefined && pattern.test(value);
    }
  }
}

function sourceCondition(blocks: readonly string[]): Condition {
  const parsed = blocks.map(parseCidr).filter((block): block is Cidr => block !== undefined);
  return ({ clientIp }) => parsed.some((block) => contains(block, clientIp));
}

const SLASH = 0x2f;
const BACKSLASH = 0x5c;
const DOT = 0x2e;
const PERCENT = 0x25;

/** Whether a path could mean another one: it holds "%", "//", "/." or a backslash. */
function needsNormalising(bytes: Uint8Array, start: number, end: number): boolean {
  let previous = 0;
  for (let i = start; i < end; i++) {
    const byte = bytes[i] ?? 0;
    if (byte === PERCENT || byte === BACKSLASH) return true;
    if (previous === SLASH && (byte === SLASH || byte === DOT)) return true;
    previous = byte;
  }
  return false;
}

/** The path as rules match it. A backslash is a slash, as it is to every target that reads URLs as browsers do (WHATWG). */
function normalPath(bytes: Uint8Array, start: number, end: number): string {
  const path = text(bytes, start, end);
  if (!needsNormalising(bytes, start, end)) return path;
  const decoded = path.replace(/%([0-9a-fA-F]{2})/g, decodeUnreserved);
  return removeDotSegments(decoded.replace(/[/\\]+/g, "/"));
}

/** Decodes what needs no encoding, and the slash and backslash that some targets decode; keeps the rest. */
function decodeUnreserved(escape: string, hex: string): string {
  const character = String.fromCharCode(Number.parseInt(hex, 16));
  return /[A-Za-z0-9\-._~/\\]/.test(character) ? character : escape.toUpperCase();
}

/** RFC 3986 §5.2.4. */
function removeDotSegments(path: string): string {
  const kept: string[] = [];
  const segments = path.split("/").slice(1);
  for (const [index, segment] of segments.entries()) {
    const last = index === segments.length - 1;
    if (segment === "..") kept.pop();
    else if (segment !== ".") kept.push(segment);
    if (last && (segment === "." || segment === "..")) kept.push("");
  }
  return `/${kept.join("/")}`;
}
