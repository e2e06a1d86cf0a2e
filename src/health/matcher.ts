/** Which answers pass a check. */

/** Whether the status lies in one of the closed ranges. */
export function statusPasses(
  status: number,
  ranges: readonly (readonly [from: number, to: number])[],
): boolean {
  return ranges.some(([from, to]) => from <= status && status <= to);
}
