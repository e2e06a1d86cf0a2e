/** Door of the history checkers. */
export type { Anomaly, HistoryEntry, Operation } from "./history.ts";
export { checkLinearizableAppends, checkRegisters } from "./linearizable.ts";
export { checkListAppend } from "./list-append.ts";
export { checkBank, checkMonotonicReads, checkReadYourWrites, checkSet } from "./workloads.ts";
