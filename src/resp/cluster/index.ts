/** Redis Cluster as a client sees it: slots, who serves them, keys of requests. Pure. */
export { type ClusterUrl, isClusterUrl, parseClusterUrl } from "./cluster-url.ts";
export { firstKeyOf, nameOf, type SplitRequest, splitRequest } from "./keys.ts";
export { SLOTS, slotOf } from "./slot.ts";
export {
  type NodeAddress,
  type Redirection,
  readSlotMap,
  redirectionOf,
  type SlotMap,
  sameSlots,
  withOwner,
} from "./slot-map.ts";
