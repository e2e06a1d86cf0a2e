/** Door of `control` to the machine: the journal, the lock of a state directory, processes and control groups. */
export { BacklogReader } from "./backlog-reader.ts";
export { JournalFailure, type JournalStore, openJournalStore } from "./journal-store.ts";
export { acquireLock, type LockResult } from "./lock.ts";
export { detectHierarchies, type Hierarchy } from "./process/cgroups.ts";
export { type ResolvedCommand, resolveCommand } from "./process/command.ts";

export { tailOf } from "./process/log-file.ts";
export { ProcessRuntime, type ProcessRuntimeOptions } from "./process/process-runtime.ts";
