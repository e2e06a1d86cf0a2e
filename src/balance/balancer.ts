/**
 * The interface every balancing algorithm implements, and what it may see.
 *
 * Targets are numbered 0..n-1 within their group; an algorithm keeps its own arrays over those numbers, so that a
 * pick allocates nothing. Health is not its business: `setTargets` hands it only the targets it may pick.
 */

/** One target that may be picked. */
export interface Candidate {
  /** Number of the target within its group; what `pick` returns. */
  readonly index: number;
  /** Stable identity, "host:port"; what rings and tables hash. */
  readonly id: string;
  /** Configured weight, 1..1000. */
  readonly weight: number;
}

/** The live load of the group's targets, read at each pick. Indexes are target numbers. */
export interface Load {
  /** Requests in flight to the target, over all workers. */
  inFlight(index: number): number;
  /** Share of the weight that counts now, 0..1: below 1 during slow start. */
  warmth(index: number): number;
}

export interface Balancer {
  /** Replaces the candidates. May allocate and take time; called when targets or their health change. */
  setTargets(candidates: readonly Candidate[]): void;
  /**
   * The number of the target to use, or -1 when there is none.
   * `hash` is the 32-bit hash of the request's key; only the hashing algorithms read it.
   * `exclude` is a target already tried for this request (-1 = none); it is returned only when it is the last one.
   */
  pick(hash: number, exclude: number): number;
  /** A response began after `latencyMs`; `failed` when it never did (connect failure, reset, timeout). */
  observe(index: number, latencyMs: number, failed: boolean): void;
}

/** Builds one algorithm. `nowMs` is monotonic. */
export interface BalancerContext {
  readonly load: Load;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  readonly nowMs: () => number;
  /** consistent-hash only: 1.25 unless set. */
  readonly boundedLoad: number;
}
