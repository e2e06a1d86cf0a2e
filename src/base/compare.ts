/** Comparing secrets without telling, by the time it takes, how much of a guess was right. */

/**
 * Whether two strings are equal, in time that depends on the length of `candidate` alone: not on where they differ,
 * nor on the length of `secret`.
 */
export function equalConstantTime(secret: string, candidate: string): boolean {
  let difference = secret.length ^ candidate.length;
  for (let at = 0; at < candidate.length; at++) {
    // Past the end of the secret charCodeAt gives NaN, which XOR reads as 0; the lengths already differ then.
    difference |= secret.charCodeAt(at) ^ candidate.charCodeAt(at);
  }
  return difference === 0;
}
