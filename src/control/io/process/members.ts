/**
 * Which processes belong to a task: everything it started, and nothing else.
 *
 * Its control group knows best. Without one, a process belongs to it when it is in the task's session or carries the
 * task's nonce in its environment, which children inherit.
 */
import { readdirSync } from "node:fs";
import { environmentOf, isAlive, statFields } from "../../../base/io/index.ts";
import type { ProcessRef } from "../../runtime.ts";
import { pidsIn } from "./cgroups.ts";

/** Name of the nonce in the environment of tasks. */
export const NONCE_NAME = "TENFOLD_NONCE";

/** stat field 6 (session), counted from field 3. */
const SESSION = 6 - 3;

/** Pids of all live processes of the task. Reads the whole process table when there is no control group. */
export function membersOf(process: ProcessRef): number[] {
  if (process.cgroups.length > 0) return pidsIn(process.cgroups).filter(isNoZombie);
  const session = isOurs(process) ? process.pid : undefined;
  const belongs = (pid: number): boolean =>
    sessionOf(pid) === session || environmentOf(pid, NONCE_NAME) === process.nonce;
  return allPids().filter((pid) => isNoZombie(pid) && belongs(pid));
}

/** Whether the process of this record is alive and is ours: identity and nonce both match. */
export function isOurs(process: ProcessRef): boolean {
  if (!isAlive(process)) return false;
  // A program may overwrite its own environment; a group that is named by the nonce proves as much.
  return (
    environmentOf(process.pid, NONCE_NAME) === process.nonce || pidsIn(process.cgroups).includes(process.pid)
  );
}

/** The leader of the task that carries this nonce. */
export function findByNonce(nonce: string): number | undefined {
  return allPids().find(
    (pid) => sessionOf(pid) === pid && isNoZombie(pid) && environmentOf(pid, NONCE_NAME) === nonce,
  );
}

function sessionOf(pid: number): number {
  return Number(statFields(pid)?.[SESSION]);
}

function isNoZombie(pid: number): boolean {
  const state = statFields(pid)?.[0];
  return state !== undefined && state !== "Z" && state !== "X";
}

function allPids(): number[] {
  try {
    return readdirSync("/proc").map(Number).filter(Number.isInteger);
  } catch {
    return []; // no /proc: the process group is all that can be reached
  }
}
