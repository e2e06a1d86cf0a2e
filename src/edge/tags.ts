/** Tags of a response: names under which it can be purged together with others. */
import { type FieldLine, valueIn } from "./policy/index.ts";

/** Tags of one response that count; more would make its record longer than its body. */
const TAGS_MAX = 64;
/** The longest tag that counts. */
export const TAG_BYTES_MAX = 256;

/** Field -> how its tags are divided. Cache-Groups (RFC 9875) is a list of strings. */
const FIELDS: Readonly<Record<string, (value: string) => readonly string[]>> = {
  "cache-tag": (value) => value.split(","),
  "edge-cache-tag": (value) => value.split(","),
  "surrogate-key": (value) => value.split(/\s+/),
  "cache-groups": groupsIn,
};

/** The tags of a response's fields, without regard to case: at most 64 of 256 characters, the first ones. */
export function tagsOf(fields: readonly FieldLine[]): readonly string[] {
  const tags = Object.entries(FIELDS).flatMap(([name, divide]) => divide(valueIn(fields, name) ?? ""));
  const clean = tags
    .map((tag) => tag.trim().toLowerCase())
    .filter((tag) => tag !== "" && tag.length <= TAG_BYTES_MAX);
  return [...new Set(clean)].slice(0, TAGS_MAX);
}

/** The strings of a structured list. */
export function groupsIn(value: string): readonly string[] {
  return [...value.matchAll(/"((?:[^"\\]|\\.)*)"/g)].map(([, text = ""]) => text.replace(/\\(.)/g, "$1"));
}
