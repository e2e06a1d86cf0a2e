/**
 * Several cache servers as one shared store: each key belongs to one server of a consistent-hash ring.
 *
 * - Leases are the owner's. A key that is hot is also read from the servers that follow on the ring, when the owner has more
 *   than its share of the requests in flight (bounded load, c = 1.25): spilling any other key would only make a second miss.
 * - A server whose breaker refuses is left out: the gutter server, if there is one, takes its keys for a short time each
 *   (NSDI 2013, section 3.3). They are not spread over the others, which the hottest of them could bring down as well.
 * - Servers come and go in two steps, so that processes need not switch at the same moment: first invalidations go to the
 *   old and the new owner while reads stay, then reads move and look at the old owner before they load.
 *
 * A copy (a replica's, or a new owner's of an old one) is made under a lease of the copy taken BEFORE the original is read,
 * and an invalidation goes to the original first. So it comes before the read, or voids the lease, or deletes the copy.
 */
import type { Clock } from "../../base/index.ts";
import { CacheError } from "../errors.ts";
import type { GuardedStore } from "./guarded-store.ts";
import { HotKeys } from "./hot-keys.ts";
import { ServerRing } from "./ring.ts";
import type {
  BusListener,
  Invalidation,
  Lookup,
  LookupRequest,
  NewValue,
  SharedStore,
  StoredValue,
} from "./store.ts";

/** What a cluster is made of. */
export interface ClusterOptions {
  readonly nodes: readonly string[];
  /** Takes the keys of servers that are down. */
  readonly gutter?: string | undefined;
  /** Servers that a hot key is read from, the owner included, 1 to 3. */
  readonly replicas: number;
  readonly clock: Clock;
  /** Connects to a server. */
  readonly connect: (url: string) => GuardedStore;
}

/** How a change of the servers goes on. */
export interface ChangeTimes {
  /** Within this time all processes must have been told of the change. */
  readonly settleMs: number;
  /** How long reads look at the old owner after that. */
  readonly dualReadMs: number;
}

/** Hot keys have at most this many copies, and every invalidation goes to all who might have one. */
const REPLICAS_MAX = 3;
const BOUNDED_LOAD = 1.25;
/** Longest life of a value in the gutter. */
const GUTTER_TTL_MS = 10_000;
/** Lease of a copy: two round trips. */
const COPY_LEASE_MS = 500;

interface Node {
  readonly id: string;
  readonly store: GuardedStore;
  inFlight: number;
}

interface Change {
  readonly from: ServerRing;
  readonly to: ServerRing;
  readonly readsMoveAtMs: number;
  readonly endsAtMs: number;
}

/** Several servers as one store. */
export class ClusterStore implements SharedStore {
  readonly #options: ClusterOptions;
  readonly #nodes: Map<string, Node> = new Map<string, Node>();
  readonly #hot: HotKeys = new HotKeys();
  #ring: ServerRing;
  #change: Change | undefined;
  #listener: BusListener | undefined;

  constructor(options: ClusterOptions) {
    this.#options = options;
    this.#ring = new ServerRing(options.nodes);
    for (const id of options.nodes) this.#open(id);
    if (options.gutter !== undefined) this.#open(options.gutter);
  }

  /** Servers by URL, with what their guards know. */
  state(): { readonly id: string; readonly isRefusing: boolean; readonly owed: number }[] {
    return [...this.#nodes.values()].map(({ id, store }) => ({ id, ...store.state }));
  }

  /** Changes the servers. Call it in every process, all within `settleMs`; a change under way is ended at once. */
  setNodes(nodes: readonly string[], { settleMs, dualReadMs }: ChangeTimes): void {
    const nowMs = this.#options.clock.nowMs();
    for (const id of nodes) if (!this.#nodes.has(id)) this.#open(id);
    const to = new ServerRing(nodes);
    this.#change = {
      from: this.#ring,
      to,
      readsMoveAtMs: nowMs + settleMs,
      endsAtMs: nowMs + settleMs + dualReadMs,
    };
  }

  async lookup(key: string, request: LookupRequest): Promise<Lookup> {
    const isHot = this.#hot.ask(key);
    const owner = this.#owner(key);
    if (owner.isGutter)
      return tokenOf(owner.node, await this.#on(owner.node, (store) => store.lookup(key, request)));
    const replica = isHot && !request.refresh ? this.#replica(key, owner.node) : undefined;
    if (replica === undefined) return this.#fromOwner(key, request, owner.node);
    return this.#fromReplica(key, request, owner.node, replica);
  }

  peek(key: string): Promise<StoredValue | undefined> {
    return this.#on(this.#owner(key).node, (store) => store.peek(key));
  }

  async fill(key: string, token: string, value: NewValue): Promise<boolean> {
    const { node, inner } = this.#holder(token);
    if (node === undefined) return false;
    return this.#on(node, (store) => store.fill(key, inner, this.#forNode(node, value)));
  }

  async renew(key: string, token: string, leaseMs: number): Promise<void> {
    const { node, inner } = this.#holder(token);
    if (node !== undefined) await this.#on(node, (store) => store.renew(key, inner, leaseMs));
  }

  async release(key: string, token: string): Promise<void> {
    const { node, inner } = this.#holder(token);
    if (node !== undefined) await this.#on(node, (store) => store.release(key, inner));
  }

  async put(key: string, value: NewValue): Promise<void> {
    const { node } = this.#owner(key);
    await this.#on(node, (store) => store.put(key, this.#forNode(node, value)));
    await this.#invalidateOn(this.#copies(key, node), keyInvalidation(key));
  }

  async beginWrite(key: string, token: string, leaseMs: number): Promise<void> {
    await this.#on(this.#owner(key).node, (store) => store.beginWrite(key, token, leaseMs));
  }

  async endWrite(key: string, token: string, value: NewValue): Promise<boolean> {
    const { node } = this.#owner(key);
    const isFilled = await this.#on(node, (store) => store.endWrite(key, token, this.#forNode(node, value)));
    await this.#invalidateOn(this.#copies(key, node), keyInvalidation(key));
    return isFilled;
  }

  /**
   * A key: originals first, then copies. Anything else: every server, twice, since each has originals and copies, and only the
   * second round is after the first on all of them. Rejects when one could not be told; the others are all the same.
   */
  async invalidate(invalidation: Invalidation): Promise<void> {
    const failures: unknown[] = [];
    for (const round of this.#rounds(invalidation)) {
      await this.#invalidateOn(round, invalidation).catch((error: unknown) => failures.push(error));
    }
    if (failures.length > 0) throw failures[0];
  }

  #rounds(invalidation: Invalidation): Node[][] {
    const all = [...this.#nodes.values()];
    if (invalidation.kind !== "key") return all.length === 1 ? [all] : [all, all];
    const originals = this.#originals(invalidation.key);
    return [...originals.map((node) => [node]), this.#copies(invalidation.key, ...originals)];
  }

  listen(listener: BusListener): void {
    this.#listener = listener;
    for (const { store } of this.#nodes.values()) store.listen(listener);
  }

  async close(): Promise<void> {
    await Promise.all([...this.#nodes.values()].map(({ store }) => store.close()));
  }

  // --- reading ------------------------------------------------------------------------------------------------

  async #fromOwner(key: string, request: LookupRequest, owner: Node): Promise<Lookup> {
    const found = await this.#on(owner, (store) => store.lookup(key, request));
    const former = this.#former(key, owner);
    if (found.kind !== "won" || found.stale !== undefined || former === undefined)
      return tokenOf(owner, found);
    // The lease of the new owner is held: now the old one may be read.
    const old = await this.#on(former, (store) => store.peek(key)).catch(() => undefined);
    if (old === undefined || old.freshMs <= 0) return tokenOf(owner, found);
    const isCopied = await this.#on(owner, (store) => store.fill(key, found.token, remaining(old)));
    return isCopied ? { kind: "hit", value: old } : { kind: "wait", stale: undefined };
  }

  async #fromReplica(key: string, request: LookupRequest, owner: Node, replica: Node): Promise<Lookup> {
    const token = `copy-${request.token}`;
    const copy = await this.#on(replica, (store) =>
      store.lookup(key, { token, leaseMs: COPY_LEASE_MS, refresh: false }),
    ).catch(() => undefined);
    if (copy?.kind === "hit") return copy;
    const found = await this.#fromOwner(key, request, owner);
    if (copy?.kind !== "won") return found;
    const settle =
      found.kind === "hit"
        ? this.#on(replica, (store) => store.fill(key, token, remaining(found.value)))
        : this.#on(replica, (store) => store.release(key, token));
    settle.catch(() => {}); // the copy's lease ends by itself
    return found;
  }

  /** Another server for a hot key, when the owner has more than its share of what is in flight. */
  #replica(key: string, owner: Node): Node | undefined {
    const all = [...this.#nodes.values()];
    const inFlight = all.reduce((sum, node) => sum + node.inFlight, 0);
    const share = Math.ceil(((inFlight + 1) * BOUNDED_LOAD) / all.length);
    if (owner.inFlight < share) return undefined;
    const candidates = this.#nodesOf(this.#readRing().owners(key, this.#options.replicas)).filter(
      (node) => node !== owner && !node.store.state.isRefusing && node.inFlight < owner.inFlight,
    );
    return candidates.toSorted((a, b) => a.inFlight - b.inFlight)[0];
  }

  // --- places -------------------------------------------------------------------------------------------------

  #owner(key: string): { node: Node; isGutter: boolean } {
    const [owner] = this.#nodesOf(this.#readRing().owners(key, 1));
    if (owner === undefined) throw new CacheError("cache-server-down", "no servers");
    const gutter = this.#options.gutter === undefined ? undefined : this.#nodes.get(this.#options.gutter);
    return owner.store.state.isRefusing && gutter !== undefined
      ? { node: gutter, isGutter: true }
      : { node: owner, isGutter: false };
  }

  /** The owner before a change, while reads still look at it. */
  #former(key: string, owner: Node): Node | undefined {
    const change = this.#change;
    if (change === undefined || this.#readRing() !== change.to) return undefined;
    const [former] = this.#nodesOf(change.from.owners(key, 1));
    return former === owner || former?.store.state.isRefusing === true ? undefined : former;
  }

  /** Whom others copy from, in the order in which they do. */
  #originals(key: string): Node[] {
    this.#readRing(); // ends a change whose time is over
    const rings = this.#change === undefined ? [this.#ring] : [this.#change.from, this.#change.to];
    return [...new Set(rings.flatMap((ring) => this.#nodesOf(ring.owners(key, 1))))];
  }

  /** Who else may have the key. */
  #copies(key: string, ...except: Node[]): Node[] {
    const rings = this.#change === undefined ? [this.#ring] : [this.#change.from, this.#change.to];
    const ids = rings.flatMap((ring) => ring.owners(key, REPLICAS_MAX));
    if (this.#options.gutter !== undefined) ids.push(this.#options.gutter);
    return this.#nodesOf([...new Set(ids)]).filter((node) => !except.includes(node));
  }

  /** The ring that reads go by; ends a change whose time is over. */
  #readRing(): ServerRing {
    const change = this.#change;
    if (change === undefined) return this.#ring;
    const nowMs = this.#options.clock.nowMs();
    if (nowMs < change.readsMoveAtMs) return change.from;
    this.#ring = change.to;
    if (nowMs >= change.endsAtMs) this.#endChange(change);
    return change.to;
  }

  #endChange({ to }: Change): void {
    this.#change = undefined;
    for (const [id, { store }] of this.#nodes) {
      if (to.ids.includes(id) || id === this.#options.gutter) continue;
      this.#nodes.delete(id);
      void store.close();
    }
  }

  #nodesOf(ids: readonly string[]): Node[] {
    return ids.flatMap((id) => this.#nodes.get(id) ?? []);
  }

  #open(id: string): void {
    const store = this.#options.connect(id);
    this.#nodes.set(id, { id, store, inFlight: 0 });
    if (this.#listener !== undefined) store.listen(this.#listener);
  }

  // --- calls --------------------------------------------------------------------------------------------------

  async #on<T>(node: Node, call: (store: GuardedStore) => Promise<T>): Promise<T> {
    node.inFlight++;
    try {
      return await call(node.store);
    } finally {
      node.inFlight--;
    }
  }

  async #invalidateOn(nodes: readonly Node[], invalidation: Invalidation): Promise<void> {
    const outcomes = await Promise.allSettled(
      nodes.map((node) => this.#on(node, (store) => store.invalidate(invalidation))),
    );
    for (const outcome of outcomes) if (outcome.status === "rejected") throw outcome.reason;
  }

  /** In the gutter nothing lives long: nobody tells it of what happened before it took over. */
  #forNode({ id }: Node, value: NewValue): NewValue {
    if (id !== this.#options.gutter) return value;
    return { ...value, ttlMs: Math.min(value.ttlMs, GUTTER_TTL_MS), graceMs: 0 };
  }

  /** The server that gave a lease; none when it was removed since, and the lease with it. */
  #holder(token: string): { node: Node | undefined; inner: string } {
    const at = token.indexOf(" ");
    return { node: this.#nodes.get(token.slice(0, at)), inner: token.slice(at + 1) };
  }
}

const keyInvalidation = (key: string): Invalidation => ({ kind: "key", key, soft: false });

/** A token says which server gave it. */
function tokenOf({ id }: Node, found: Lookup): Lookup {
  return found.kind === "won" ? { ...found, token: `${id} ${found.token}` } : found;
}

/** A copy with what is left of the original's time. */
function remaining({ payload, freshMs, staleMs, loadMs, tags }: StoredValue): NewValue {
  return { payload, ttlMs: freshMs, graceMs: Math.max(0, staleMs - freshMs), loadMs, tags };
}
