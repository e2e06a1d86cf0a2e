/**
 * Targeted cache control (RFC 9213): a field such as CDN-Cache-Control, a structured dictionary, that replaces
 * Cache-Control and Expires for the caches it names. One that does not parse, is empty, or gives a directive a value
 * of the wrong type is as good as absent.
 */
import { type Member, parseDictionary } from "../../http/index.ts";
import {
  type Directives,
  DURATION_MAX_S,
  DURATIONS,
  FLAGS,
  noDirectives,
  parseCacheControl,
  setFlag,
} from "./cache-control.ts";
import type { CacheResponse } from "./message.ts";

/** The directives that count for this cache, and whether they come from a targeted field. */
export interface Control {
  readonly directives: Readonly<Directives>;
  readonly isTargeted: boolean;
}

/** The first of `names` that is valid, else Cache-Control. */
export function controlOf(response: CacheResponse, names: readonly string[]): Control {
  for (const name of names) {
    const value = response.field(name);
    const directives = value === undefined ? undefined : parseTargeted(value);
    if (directives !== undefined) return { directives, isTargeted: true };
  }
  return { directives: parseCacheControl(response.field("cache-control")), isTargeted: false };
}

/** Reads a targeted field; undefined when it is to be ignored. */
function parseTargeted(value: string): Directives | undefined {
  const members = parseDictionary(value);
  if (members === undefined || members.size === 0) return undefined;
  const directives = noDirectives();
  const isValid = [...members].every(([name, member]) => readMember(directives, name, member));
  return isValid ? directives : undefined;
}

/** Takes one directive over; false when its value has the wrong type. Unknown ones are right in any type. */
function readMember(directives: Directives, name: string, member: Member): boolean {
  const value = member.kind === "item" ? member.value : undefined;
  const duration = DURATIONS.get(name);
  if (duration !== undefined) {
    if (value?.kind !== "integer") return false;
    directives[duration] = Math.min(Math.max(0, value.value), DURATION_MAX_S);
    return true;
  }
  if (FLAGS.get(name) === undefined) return true;
  if (value?.kind === "string") setFlag(directives, name, value.value);
  else if (value?.kind !== "boolean") return false;
  else if (value.value) setFlag(directives, name, "");
  return true;
}
