/**
 * Erlang's formulas (A. K. Erlang, 1917): how often all servers are busy, with and without a queue.
 *
 * By the recursion B(0) = 1, B(k) = aB(k-1) / (k + aB(k-1)), which adds only positive numbers and so loses nothing even
 * with a hundred thousand servers. Load `a` is in erlangs: arrival rate times service time.
 */

/** Erlang B: the share of arrivals that find all of `servers` busy and are turned away. O(servers). */
export function erlangB(servers: number, load: number): number {
  let blocked = 1;
  for (let k = 1; k <= servers; k++) blocked = (load * blocked) / (k + load * blocked);
  return blocked;
}

/** Erlang C: the share of arrivals that have to wait when nobody is turned away; 1 from `load` = `servers` on. */
export function erlangC(servers: number, load: number): number {
  if (load >= servers) return 1;
  const blocked = erlangB(servers, load);
  // C = B / (1 - r + rB): the same as B / (1 - r(1 - B)), but exact for a small B at a load near the servers.
  return blocked / ((servers - load) / servers + (load / servers) * blocked);
}
