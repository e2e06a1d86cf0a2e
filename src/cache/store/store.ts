/**
 * The interface of a shared store (L2): values by key, with leases (Nishtala et al., "Scaling Memcache at Facebook", NSDI 2013,
 * section 3.2.1; the words are those of memcached's meta commands).
 *
 * A lookup that finds nothing fresh gives a token to one caller ("won") and tells the others that somebody loads ("wait");
 * both may get the stale value. Only the token's holder can fill, and any invalidation of the key, its tags or a prefix of it
 * that came after the lookup voids the token. So no value loaded before an invalidation can be stored after it. Times are
 * the store's own, given as what is left of them: clocks of different machines are never compared.
 */

/** A stored value as it comes back. */
export interface StoredValue {
  readonly payload: Uint8Array;
  /** What is left of its freshness; 0 or less is stale. */
  readonly freshMs: number;
  /** What is left until it is gone. */
  readonly staleMs: number;
  /** How long its load took. */
  readonly loadMs: number;
  readonly tags: readonly string[];
}

/** A value to be stored. */
export interface NewValue {
  readonly payload: Uint8Array;
  readonly ttlMs: number;
  readonly graceMs: number;
  readonly loadMs: number;
  readonly tags: readonly string[];
}

/** What a lookup found. */
export type Lookup =
  | { readonly kind: "hit"; readonly value: StoredValue }
  | { readonly kind: "won"; readonly token: string; readonly stale: StoredValue | undefined }
  | { readonly kind: "wait"; readonly stale: StoredValue | undefined };

/** What a lookup asks for. */
export interface LookupRequest {
  /** Becomes the lease's token, if there is one; unique. */
  readonly token: string;
  /** How long the lease holds. */
  readonly leaseMs: number;
  /** Take a lease even though the value is fresh. */
  readonly refresh: boolean;
}

/** What is invalid from now on. */
export type Invalidation =
  | { readonly kind: "key"; readonly key: string; readonly soft: boolean }
  | { readonly kind: "tag"; readonly tag: string }
  | { readonly kind: "prefix"; readonly prefix: string }
  | { readonly kind: "all" };

/** Told what others invalidated. */
export interface BusListener {
  /** May be called several times for one invalidation. */
  readonly invalidated: (invalidation: Invalidation) => void;
  /** Invalidations may have been missed: whatever is kept may be stale. */
  readonly interrupted: () => void;
}

/** A store that several processes share. Every call rejects rather than hang. */
export interface SharedStore {
  /** Finds a value, or a lease to load it. */
  lookup(key: string, request: LookupRequest): Promise<Lookup>;
  /** Finds a value, fresh or stale, without a lease. */
  peek(key: string): Promise<StoredValue | undefined>;
  /** Stores what the lease's holder loaded; false when the token is void, and then nothing changed. */
  fill(key: string, token: string, value: NewValue): Promise<boolean>;
  /** Lets a lease hold for `leaseMs` from now, if it is this token's still. */
  renew(key: string, token: string, leaseMs: number): Promise<void>;
  /** Gives a lease back unused. */
  release(key: string, token: string): Promise<void>;
  /** Stores a value whatever was there; voids leases and tells the bus. */
  put(key: string, value: NewValue): Promise<void>;
  /**
   * Begins a write to the source: voids leases of loads, and gives the writer one with this token. When two writers overlap
   * neither can fill, since nobody knows in which order the source took their writes.
   */
  beginWrite(key: string, token: string, leaseMs: number): Promise<void>;
  /** Ends a write and tells the bus: stores the value when nobody else wrote, and true; else invalidates the key, and false. */
  endWrite(key: string, token: string, value: NewValue): Promise<boolean>;
  /** Invalidates, voids leases, and tells the bus. */
  invalidate(invalidation: Invalidation): Promise<void>;
  /** Tells what others invalidate from now on. */
  listen(listener: BusListener): void;
  /** Ends connections. */
  close(): Promise<void>;
}
