/** Entity tags (RFC 9110 §8.8.3), compared as written but for their weakness. */

/** Whether the tag promises that bodies with it are equal byte for byte. */
export function isStrong(etag: string): boolean {
  return etag !== "" && !etag.startsWith("W/");
}

/** Weak comparison (RFC 9110 §8.8.3.2): equal but for "W/". No tag equals none. */
export function equalWeakly(a: string, b: string): boolean {
  return a !== "" && opaque(a) === opaque(b);
}

/** Strong comparison: equal, and neither is weak. */
export function equalStrongly(a: string, b: string): boolean {
  return isStrong(a) && a === b;
}

function opaque(etag: string): string {
  return etag.startsWith("W/") ? etag.slice(2) : etag;
}
