/** What makes no sense about a workload as a whole, though each of its numbers does. */
import type { Problem } from "../../config/index.ts";
import { COUNT_MAX } from "../quantity.ts";
import { ratesOf } from "./rates.ts";
import { coresProblem } from "./servers.ts";
import { storageOf } from "./storage.ts";
import { loadsOf, type Workload } from "./workload.ts";

/** A yottabyte: more than all disks that were ever made. */
const KEPT_MAX = 1e24;

const CHECK_UNITS = "check the units of users, counts and sizes";

type Check = (workload: Workload) => Problem | undefined;

/** Without these there is nothing to multiply. */
const COMPLETE: readonly Check[] = [noActions, twoOfOneName, noUsers, noWrites, circular];

/** Of a complete workload: what comes to more than there is in the world. */
const SENSIBLE: readonly Check[] = [tooMany, tooMuch, tooBusy];

/** The problems; none when the workload can be estimated. */
export function problemsOf(workload: Workload): Problem[] {
  const incomplete = found(COMPLETE, workload);
  return incomplete.length > 0 ? incomplete : found(SENSIBLE, workload);
}

function found(checks: readonly Check[], workload: Workload): Problem[] {
  return checks.map((check) => check(workload)).filter((problem) => problem !== undefined);
}

function noActions({ actions }: Workload): Problem | undefined {
  if (actions.length > 0) return undefined;
  return {
    path: "actions",
    what: "are missing",
    mend: 'write [{ name: views, kind: read, perUser: 10, answer: "100KB" }], or preset: blog',
  };
}

function twoOfOneName({ actions }: Workload): Problem | undefined {
  const second = actions.find(({ name }, index) => actions.findIndex((one) => one.name === name) < index);
  if (second === undefined) return undefined;
  return { path: "actions", what: `has two of the name ${second.name}`, mend: "give one another name" };
}

function noUsers({ actions, users }: Workload): Problem | undefined {
  const perUser = actions.find(({ per }) => per === "user");
  if (perUser === undefined || users > 0) return undefined;
  return {
    path: "users",
    what: `are none, and ${perUser.name} are counted by the user`,
    mend: "write how many there are in a day, such as 10M",
  };
}

function noWrites({ actions }: Workload): Problem | undefined {
  const perWrite = actions.find(({ per }) => per === "write");
  if (perWrite === undefined || actions.some(({ kind }) => kind === "write")) return undefined;
  return {
    path: "actions",
    what: `has ${perWrite.name} counted by the write, and no write`,
    mend: "add one, or count them perUser or perDay",
  };
}

function circular({ actions }: Workload): Problem | undefined {
  const circle = actions.find(({ kind, per }) => kind === "write" && per === "write");
  if (circle === undefined) return undefined;
  return {
    path: "actions",
    what: `has ${circle.name}, writes counted by the write`,
    mend: "count them perUser or perDay",
  };
}

function tooMany(workload: Workload): Problem | undefined {
  const most = loadsOf(workload).find(({ perDay }) => perDay > COUNT_MAX);
  if (most === undefined) return undefined;
  return {
    path: "actions",
    what: `has ${most.perDay.toExponential(0)} ${most.name} a day`,
    mend: CHECK_UNITS,
  };
}

function tooMuch(workload: Workload): Problem | undefined {
  const { keptCopied } = storageOf(loadsOf(workload), workload);
  if (keptCopied <= KEPT_MAX) return undefined;
  const what = `comes to ${keptCopied.toExponential(0)} B, more than there are disks`;
  return { path: "storage", what, mend: CHECK_UNITS };
}

function tooBusy(workload: Workload): Problem | undefined {
  const { originRps, cpuMs, grown } = ratesOf(loadsOf(workload), workload);
  return coresProblem((originRps * cpuMs * Math.max(1, grown)) / 1000);
}
