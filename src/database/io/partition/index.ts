/** Partitioning of a table on a server. */
export {
  abortPartition,
  dropOldTable,
  type PartitionParts,
  partitionTable,
  planPartition,
} from "./partition-table.ts";
export { PartitionSession } from "./session.ts";
