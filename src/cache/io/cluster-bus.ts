/** The bus of a cluster: for each primary a connection that hears the channels of its slots, changed as the slots move. */
import type { Scheduler } from "../../base/index.ts";
import { type SlotMap, slotOf } from "../../resp/index.ts";
import type { RespClientOptions } from "../../resp/io/index.ts";
import type { BusListener } from "../store/store.ts";
import { Bus } from "./bus.ts";

/** What the bus of a cluster is made of. */
export interface ClusterBusOptions {
  readonly client: Omit<RespClientOptions, "url">;
  readonly nodeUrl: (address: string) => string;
  readonly channels: readonly string[];
  readonly origin: string;
  readonly scheduler: Scheduler;
  readonly listener: BusListener;
  /** Called when a channel is served by another node than the map says. */
  readonly onMoved: () => void;
}

export class ClusterBus {
  readonly #options: ClusterBusOptions;
  /** Address -> its bus, and what that hears. */
  readonly #buses = new Map<string, { readonly bus: Bus; readonly channels: string }>();
  #hasMap = false;

  constructor(options: ClusterBusOptions) {
    this.#options = options;
  }

  /** Hears each channel at its slot's primary from now on. Connections whose channels are the same stay. */
  update(map: SlotMap): void {
    const { client, nodeUrl, channels, ...rest } = this.#options;
    const wanted = new Map<string, string[]>();
    for (const channel of channels) {
      const address = map.primaries[map.owners[slotOf(channel)] ?? -1];
      if (address !== undefined) wanted.set(address, [...(wanted.get(address) ?? []), channel]);
    }
    let isChanged = false;
    for (const [address, { bus, channels: heard }] of this.#buses) {
      if (heard === wanted.get(address)?.join(" ")) continue;
      bus.close();
      this.#buses.delete(address);
      isChanged = true;
    }
    for (const [address, own] of wanted) {
      if (this.#buses.has(address)) continue;
      const bus = new Bus({
        ...rest,
        client: { ...client, url: nodeUrl(address) },
        channels: own,
        isSharded: true,
        isInterrupted: this.#hasMap,
      });
      this.#buses.set(address, { bus, channels: own.join(" ") });
    }
    // What was told between the two subscriptions was missed.
    if (isChanged) this.#options.listener.interrupted();
    this.#hasMap = true;
  }

  close(): void {
    for (const { bus } of this.#buses.values()) bus.close();
    this.#buses.clear();
  }
}
