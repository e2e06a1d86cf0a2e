/**
 * Vary (RFC 9110 §12.5.5): which fields of the request a response depends on.
 */

/** A Vary field with more names, each once; "*" swallows the others. Names are compared without case. */
export function addVary(present: string | null | undefined, ...names: readonly string[]): string {
  const all = [...(present ?? "").split(","), ...names]
    .map((name) => name.trim())
    .filter((name) => name !== "");
  for (const name of all) {
    if (!/^[\w!#$%&'*+.^`|~-]+$/.test(name)) throw new TypeError(`Vary: "${name}" is no name of a field`);
  }
  if (all.includes("*")) return "*";
  const first = new Map<string, string>();
  for (const name of all) if (!first.has(name.toLowerCase())) first.set(name.toLowerCase(), name);
  return [...first.values()].join(", ");
}
