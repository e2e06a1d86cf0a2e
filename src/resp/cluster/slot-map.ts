/**
 * Who serves which slot: what CLUSTER SLOTS says, and what redirections teach in between.
 */
import { type Reply, type ReplyError, textOf } from "../reply.ts";
import { SLOTS } from "./slot.ts";

/** A node's address as "host:port"; an IPv6 host without brackets, as the servers write it. */
export type NodeAddress = string;

/** The primaries of all slots. */
export interface SlotMap {
  /** Slot -> place in `primaries`; -1 for a slot that nobody serves. */
  readonly owners: Int16Array;
  /** The addresses of all primaries that have slots, each once. */
  readonly primaries: readonly NodeAddress[];
}

/** Primaries in one map at most: a cluster has up to 1,000 nodes by its specification. */
const PRIMARIES_MAX = 10_000;

/**
 * Reads the reply of CLUSTER SLOTS: ranges `[start, end, [host, port, …], replicas…]`. A node that does not know its own
 * address (null or "") is where the reply came from: `from`. Undefined when the reply is none.
 */
export function readSlotMap(reply: Reply, from: NodeAddress): SlotMap | undefined {
  if (!Array.isArray(reply)) return undefined;
  const owners = new Int16Array(SLOTS).fill(-1);
  const primaries: NodeAddress[] = [];
  const places = new Map<NodeAddress, number>();
  for (const range of reply as readonly Reply[]) {
    const [start, end, primary] = Array.isArray(range) ? (range as readonly Reply[]) : [];
    const address = addressFrom(primary, from);
    if (!isSlot(start) || !isSlot(end) || address === undefined) return undefined;
    const place = places.get(address) ?? primaries.push(address) - 1;
    if (place >= PRIMARIES_MAX) return undefined;
    places.set(address, place);
    owners.fill(place, start, end + 1);
  }
  return { owners, primaries };
}

/** Whether two maps say the same of every slot. O(slots). */
export function sameSlots(a: SlotMap, b: SlotMap): boolean {
  return a.owners.every((place, slot) => a.primaries[place] === b.primaries[b.owners[slot] ?? -1]);
}

/** The map with another primary for one slot. O(slots). */
export function withOwner(map: SlotMap, slot: number, address: NodeAddress): SlotMap {
  const known = map.primaries.indexOf(address);
  const primaries = known < 0 ? [...map.primaries, address] : map.primaries;
  const owners = map.owners.slice();
  owners[slot] = known < 0 ? primaries.length - 1 : known;
  return { owners, primaries };
}

/** Host and port of an address. */
export function splitAddress(address: NodeAddress): { readonly host: string; readonly port: number } {
  const colon = address.lastIndexOf(":");
  return { host: address.slice(0, colon), port: Number(address.slice(colon + 1)) };
}

/**
 * What a refusal asks the client to do: go to another node for good ("moved") or for this once ("ask"), or come again in a
 * moment ("wait"). Undefined when it is a refusal in earnest. None of these requests was carried out.
 */
export type Redirection =
  | { readonly kind: "moved" | "ask"; readonly slot: number; readonly address: NodeAddress }
  | { readonly kind: "wait" };

/** A slot under way, a cluster without a quorum, a server that loads its data, a replica without its primary. */
const COME_AGAIN: ReadonlySet<string> = new Set(["TRYAGAIN", "CLUSTERDOWN", "LOADING", "MASTERDOWN"]);

/** Reads a refusal: "MOVED 3999 127.0.0.1:6381", "ASK …", "TRYAGAIN …". An empty host is `from`'s. */
export function redirectionOf(error: ReplyError, from: NodeAddress): Redirection | undefined {
  if (COME_AGAIN.has(error.code)) return { kind: "wait" };
  if (error.code !== "MOVED" && error.code !== "ASK") return undefined;
  const [, slotText, hostText, portText] = /^\S+ (\d+) (\S*):(\d+)$/.exec(error.message) ?? [];
  const [slot, port] = [Number(slotText), Number(portText)];
  if (!isSlot(slot) || !isPort(port)) return undefined;
  const host = hostText === "" || hostText === "?" ? splitAddress(from).host : hostText;
  return { kind: error.code === "MOVED" ? "moved" : "ask", slot, address: `${host}:${port}` };
}

function addressFrom(node: Reply | undefined, from: NodeAddress): NodeAddress | undefined {
  const [host, port] = Array.isArray(node) ? (node as readonly Reply[]) : [];
  if (!isPort(port)) return undefined;
  const name = textOf(host) ?? "";
  return `${name === "" || name === "?" ? splitAddress(from).host : name}:${port}`;
}

function isSlot(value: unknown): value is number {
  return typeof value === "number" && Number.isInteger(value) && value >= 0 && value < SLOTS;
}

function isPort(value: unknown): value is number {
  return typeof value === "number" && Number.isInteger(value) && value > 0 && value < 65_536;
}
