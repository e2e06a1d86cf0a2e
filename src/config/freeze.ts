/** Values that everybody reads and nobody may change. */

/** Freezes `value` and all it holds. Returns it. */
export function deepFreeze<T>(value: T): T {
  if (typeof value !== "object" || value === null) return value;
  for (const part of Object.values(value)) deepFreeze(part);
  return Object.freeze(value);
}
