/**
 * The nodes of a cluster: a client per primary, and the map of slots, kept true.
 *
 * The map is asked for at the start, every few seconds, and soon after anything that says it may be old: a redirection, a
 * primary whose connection is gone, a cluster that is down. One question is under way at a time, and two begin at least
 * 100 ms apart, however many calls want one. Replicas get no connection: what they have may be old.
 */
import { type Cancel, type Random, type Scheduler, systemRandom, systemScheduler } from "../../base/index.ts";
import {
  type ClusterUrl,
  type NodeAddress,
  readSlotMap,
  type SlotMap,
  sameSlots,
  withOwner,
} from "../cluster/index.ts";
import type { Reply } from "../reply.ts";
import { RespClient, type RespClientOptions } from "./client.ts";

/** What the nodes are made of. */
export interface ClusterNodesOptions {
  readonly url: ClusterUrl;
  /** For the client of each node. */
  readonly client: Omit<RespClientOptions, "url" | "onState">;
  /** Called when a slot has another primary than before, and with the first map. */
  readonly onMap?: ((map: SlotMap) => void) | undefined;
}

/** Between the beginnings of two questions, ms: ten a second are quick enough for a failover, and nothing to a server. */
const SPACING_MS = 100;

/** While a primary is not reached, or there is no map, it is asked so often, ms. */
const RETRY_MS = 200;

/** While all is well, ms: a node that was cut off with us from the others is found out by asking another. */
const EVERY_MS = 5000;

/** After so long without a map from one node the next is asked, ms, and so many in all. */
const ANSWER_MS = 300;
const ASKED_MAX = 4;

export class ClusterNodes {
  readonly #options: ClusterNodesOptions;
  readonly #scheduler: Scheduler;
  readonly #random: Random;
  readonly #clients = new Map<NodeAddress, RespClient>();
  #map: SlotMap | undefined;
  #isAsking = false;
  #isWanted = false;
  #cancel: Cancel = () => {};
  #isClosed = false;

  constructor(options: ClusterNodesOptions) {
    this.#options = options;
    this.#scheduler = options.client.scheduler ?? systemScheduler;
    this.#random = options.client.random ?? systemRandom;
    for (const seed of options.url.seeds) this.client(seed);
    void this.#ask();
  }

  /** The map; undefined until a node has told one. */
  get map(): SlotMap | undefined {
    return this.#map;
  }

  /** The primary of a slot, as far as it is known; of any slot when it is left out: one that is connected, if there is one. */
  primaryOf(slot: number | undefined): NodeAddress | undefined {
    const map = this.#map;
    if (map === undefined) return undefined;
    if (slot !== undefined) return map.primaries[map.owners[slot] ?? -1];
    return map.primaries.find((address) => this.#clients.get(address)?.state === "ready") ?? map.primaries[0];
  }

  /** The client of a node, opened when it has none. */
  client(address: NodeAddress): RespClient {
    const known = this.#clients.get(address);
    if (known !== undefined) return known;
    const made = new RespClient({
      ...this.#options.client,
      url: this.#options.url.nodeUrl(address),
      onState: (state) => {
        if (state === "waiting") this.refresh();
      },
    });
    this.#clients.set(address, made);
    return made;
  }

  /** Takes over what a MOVED redirection said, and asks for the rest. */
  moved(slot: number, address: NodeAddress): void {
    if (this.#map !== undefined && this.primaryOf(slot) !== address)
      this.#take(withOwner(this.#map, slot, address));
    this.refresh();
  }

  /** Asks for the map soon. */
  refresh(): void {
    if (this.#isWanted || this.#isClosed) return;
    this.#isWanted = true;
    if (!this.#isAsking) this.#askAfter(SPACING_MS);
  }

  close(): void {
    this.#isClosed = true;
    this.#cancel();
    for (const client of this.#clients.values()) client.close();
  }

  #askAfter(ms: number): void {
    this.#cancel();
    if (this.#isClosed) return;
    this.#cancel = this.#scheduler.after(ms, () => void this.#ask());
  }

  async #ask(): Promise<void> {
    this.#isAsking = true;
    this.#isWanted = false;
    const map = await this.#answer();
    this.#isAsking = false;
    if (this.#isClosed) return;
    if (map !== undefined) {
      this.#take(map);
      this.#closeOthers(map);
    }
    this.#askAfter(this.#isWanted ? SPACING_MS : this.#isWhole(map) ? EVERY_MS : RETRY_MS);
  }

  /** A map from one of the nodes: those that are connected first, in random order. */
  async #answer(): Promise<SlotMap | undefined> {
    const addresses = new Set([...this.#clients.keys(), ...this.#options.url.seeds]);
    const ranked = [...addresses].map((address) => {
      const isReady = this.#clients.get(address)?.state === "ready";
      return { address, rank: this.#random() + (isReady ? 0 : 1) };
    });
    const asked = ranked.toSorted((a, b) => a.rank - b.rank).slice(0, ASKED_MAX);
    for (const { address } of asked) {
      if (this.#isClosed) return undefined;
      // oxlint-disable-next-line no-await-in-loop -- the next one is asked because this one did not answer
      const map = await this.#mapFrom(address);
      // A node that was reset, or has not met the others yet, knows no slots.
      if (map !== undefined && map.primaries.length > 0) return map;
    }
    return undefined;
  }

  /** What a node says within the time. The call has the deadline of all others: a slow server is not taken for a dead one. */
  #mapFrom(address: NodeAddress): Promise<SlotMap | undefined> {
    return new Promise((resolve) => {
      const cancel = this.#scheduler.after(ANSWER_MS, () => resolve(undefined));
      const answered = (reply: Reply | undefined): void => {
        cancel();
        resolve(reply === undefined ? undefined : readSlotMap(reply, address));
      };
      this.client(address)
        .call(["CLUSTER", "SLOTS"])
        .then(answered, () => answered(undefined));
    });
  }

  #take(map: SlotMap): void {
    const isChanged = this.#map === undefined || !sameSlots(this.#map, map);
    this.#map = map;
    for (const address of map.primaries) this.client(address);
    if (isChanged) this.#options.onMap?.(map);
  }

  /** Ends clients of nodes that have no slots any more, once nothing waits on them. */
  #closeOthers({ primaries }: SlotMap): void {
    for (const [address, client] of this.#clients) {
      if (primaries.includes(address) || client.pending > 0) continue;
      client.close();
      this.#clients.delete(address);
    }
  }

  #isWhole(map: SlotMap | undefined): boolean {
    return map?.primaries.every((address) => this.#clients.get(address)?.state === "ready") ?? false;
  }
}
