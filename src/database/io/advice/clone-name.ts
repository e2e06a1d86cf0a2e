/**
 * What a throw-away clone, its folder and its slot are called: after the process that made it, so that whoever finds one knows whether
 * it is still in use.
 */
import { createHash, randomBytes } from "node:crypto";
import { identify } from "../../../base/io/index.ts";

const RANDOM_BYTES = 3;
const MARK_CHARS = 8;

/** "advice-4711-1f2e3d4c-a1b2c3": a pid, when that process began, a number of its own. */
const NAME = /^advice-(\d{1,10})-([0-9a-f]{8})-[0-9a-f]{6}$/;

/** Of folders; slots have "_" for each "-". */
const START = "tenfold-";

/** A name for a clone of this process. */
export function newCloneName(): string {
  const { pid } = process;
  return `advice-${pid}-${markOf(pid) ?? "0".repeat(MARK_CHARS)}-${randomBytes(RANDOM_BYTES).toString("hex")}`;
}

/** The name of its folder. */
export function cloneFolder(name: string): string {
  return START + name;
}

/** The clone that a folder is of; undefined = of none. */
export function nameOfFolder(folder: string): string | undefined {
  return named(folder);
}

/** The clone that a slot is of; undefined = of none. */
export function nameOfSlot(slot: string): string | undefined {
  return named(slot.replaceAll("_", "-"));
}

function named(text: string): string | undefined {
  const name = text.slice(START.length);
  return text.startsWith(START) && NAME.test(name) ? name : undefined;
}

/** Whether the process that made it is gone; false where processes cannot be looked at. */
export function isLeft(name: string): boolean {
  if (markOf(process.pid) === undefined) return false;
  const [, pid, mark] = NAME.exec(name) ?? [];
  return mark !== markOf(Number(pid));
}

/** When a process began, as a few letters; undefined = there is none. */
function markOf(pid: number): string | undefined {
  const found = identify(pid);
  if (found === undefined) return undefined;
  const text = `${found.bootId} ${found.startTime}`;
  return createHash("sha256").update(text).digest("hex").slice(0, MARK_CHARS);
}
