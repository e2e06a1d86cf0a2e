/**
 * Cookies as sessions use them: one value out of a Cookie field, and a Set-Cookie field (RFC 6265, 6265bis).
 *
 * The name begins with `__Host-`: browsers then take the cookie only over https, with Path=/ and without Domain, so
 * that no subdomain and nobody on the wire can plant one.
 */
import { SessionError } from "./errors.ts";

/** Most bytes of name, value and attributes that every browser keeps (RFC 6265 §6.1). */
const COOKIE_BYTES_MAX = 4096;

/** The cookie of a session. */
const SESSION_COOKIE = "__Host-session";

/** Characters that a value may have (RFC 6265 §4.1.1): base64url and what we put between. */
const VALUE = /^[\w.~-]*$/;

/** What `Set-Cookie` says beside name and value. */
export interface CookieSettings {
  readonly name: string;
  /** Left out for a cookie that ends with the browser. */
  readonly maxAgeMs?: number;
  /** False only in development over plain http on localhost. */
  readonly isSecure: boolean;
}

/** The value of the first cookie of this name in a Cookie field, without quotes; undefined when it is not there. */
export function readCookie(header: string | undefined, name: string): string | undefined {
  for (const pair of header?.split(";") ?? []) {
    const equal = pair.indexOf("=");
    if (equal > 0 && pair.slice(0, equal).trim() === name)
      return pair
        .slice(equal + 1)
        .trim()
        .replace(/^"(.*)"$/, "$1");
  }
  return undefined;
}

/**
 * A Set-Cookie field.
 *
 * @throws SessionError "session-cookie-too-large" above 4,096 bytes: a browser would drop it without a word.
 */
export function writeCookie(value: string, settings: CookieSettings): string {
  if (!VALUE.test(value)) throw new Error(`a cookie's value has a character that none may have`);
  const parts = [`${settings.name}=${value}`, "Path=/"];
  if (settings.maxAgeMs !== undefined) parts.push(`Max-Age=${Math.floor(settings.maxAgeMs / 1000)}`);
  if (settings.isSecure) parts.push("Secure");
  const field = [...parts, "HttpOnly", "SameSite=Lax"].join("; ");
  if (field.length > COOKIE_BYTES_MAX) {
    throw new SessionError("session-cookie-too-large", `${settings.name} would have ${field.length} bytes`);
  }
  return field;
}

/** A Set-Cookie field that takes the cookie away. */
export function clearCookie(settings: CookieSettings): string {
  return writeCookie("", { ...settings, maxAgeMs: 0 });
}

/** The cookie's name and safety; development gives up the prefix, since `__Host-` needs https. */
export function cookieSettings(
  name: string | undefined,
  isDevelopment: boolean,
  maxAgeMs: number | undefined,
): CookieSettings {
  const full = name ?? (isDevelopment ? SESSION_COOKIE.replace("__Host-", "") : SESSION_COOKIE);
  if (!isDevelopment && !full.startsWith("__Host-")) {
    throw new SessionError("session-options", `cookie "${full}" must be called "__Host-${full}"`);
  }
  if (!/^[\w-]+$/.test(full)) throw new SessionError("session-options", `"${full}" is no name for a cookie`);
  return { name: full, isSecure: !isDevelopment, ...(maxAgeMs === undefined ? {} : { maxAgeMs }) };
}

/** Refuses an unprotected cookie for a host that is not this machine. `host`: the Host field, with or without port. */
export function refuseOffLocalhost(host: string | undefined): void {
  const name = host?.replace(/:\d+$/, "");
  if (name === "localhost" || name?.endsWith(".localhost") || name === "127.0.0.1" || name === "[::1]")
    return;
  throw new SessionError("session-off-localhost", host ?? "no Host");
}
