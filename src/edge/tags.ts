/** Tags of a response: names under which it can be purged together with others. */
/** Tags of one response that count; more would make its record longer than its body. */
const TAGS_MAX = 64;
const TAG_BYTES_MAX = 256;

/** Field -> how its tags are divided. Cache-Groups (RFC 9875) is a list of strings. */
const FIELDS: Readonly<Record<string, (value: string) => readonly string[]>> = {
  "cache-tag": (value) => value.split(","),
  "edge-cache-tag": (value) => value.split(","),
  "surrogate-key": (value) => value.split(/\s+/),
  "cache-groups": groupsIn,
};

const NO_TAGS: readonly string[] = [];

/** The tags of a response, given its fields by name; case does not count. At most 64 of 256 characters, the first ones. */
export function tagsOf(field: (name: string) => string | undefined): readonly string[] {
  let tags: string[] | undefined;
  for (const name in FIELDS) {
    const value = field(name);
    if (value !== undefined) tags = [...(tags ?? []), ...(FIELDS[name]?.(value) ?? [])];
  }
  if (tags === undefined) return NO_TAGS;
  const clean = tags
    .map((tag) => tag.trim().toLowerCase())
    .filter((tag) => tag !== "" && tag.length <= TAG_BYTES_MAX);
  return [...new Set(clean)].slice(0, TAGS_MAX);
}

/** The strings of a structured list. */
export function groupsIn(value: string): readonly string[] {
  return [...value.matchAll(/"((?:[^"\\]|\\.)*)"/g)].map(([, text = ""]) => text.replace(/\\(.)/g, "$1"));
}
