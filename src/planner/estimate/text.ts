/** Words for numbers of things. */

/** "1 copy", "3 copies". */
export function copiesText(copies: number): string {
  return counted(copies, "copy", "copies");
}

/** "1 year", "5 years". */
export function yearsText(years: number): string {
  return counted(years, "year");
}

/** "1 server", "1,234 servers". */
export function counted(count: number, one: string, many = `${one}s`): string {
  return `${grouped(count)} ${count === 1 ? one : many}`;
}

/** "1,234". */
export function grouped(count: number): string {
  return count.toLocaleString("en");
}

/** "a", "a and b", "a, b and c". */
export function joined(words: readonly string[]): string {
  const last = words.at(-1) ?? "";
  return words.length < 2 ? last : `${words.slice(0, -1).join(", ")} and ${last}`;
}
