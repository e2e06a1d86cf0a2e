/** Door of `control`: services, tasks, deploys, scaling; pure, with everything outside as an argument. */
export { Controller, type ControllerContext } from "./controller.ts";
export type { DataPlane } from "./data-plane.ts";
export type { Deploy, DeployStatus } from "./deploy.ts";
export type { ControlEvent } from "./event-log.ts";
export type { RequestOutcome } from "./requests.ts";
export type { Exit, LaunchRequest, LaunchResult, ProcessRef, Runtime } from "./runtime.ts";
export type { Change, Entry, StateStore, WriteResult } from "./state-store.ts";
export type { ServiceStatus, Status, TaskStatus } from "./status.ts";
export type { TaskState } from "./task.ts";
export { GATEWAY, livingWorkers, WORKER_PLACEHOLDER, type WorkerSet } from "./workers.ts";
