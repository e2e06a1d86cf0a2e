import { describe, expect, test } from "bun:test";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { temporaryFolder } from "../../testing/folders.ts";
import { type Hierarchy, makeCgroups, parseHierarchies } from "./cgroups.ts";

/** A folder that looks like a made group of a hierarchy: the kernel's files are there. */
function hierarchyWith(version: 1 | 2, controllers: string[], files: string[]): Hierarchy {
  const root = temporaryFolder();
  mkdirSync(join(root, "t"));
  for (const file of ["cgroup.procs", "cgroup.subtree_control", ...files])
    writeFileSync(join(root, "t", file), "");
  writeFileSync(join(root, "cgroup.subtree_control"), "");
  return { root, version, controllers };
}

const LIMITS = { cpu: 0.5, memoryBytes: 1000, pidsMax: 64 };

describe("control groups", () => {
  test("of both versions are found among the mounts", () => {
    const mounts = [
      "cgroup /c/cpu,cpuacct cgroup rw,cpu,cpuacct 0 0",
      "cgroup /c/devices cgroup rw,devices 0 0",
      "cgroup2 /nowhere/unified cgroup2 rw 0 0",
      "proc /proc proc rw 0 0",
    ];
    expect(parseHierarchies(mounts.join("\n"))).toEqual([
      { root: "/c/cpu,cpuacct", version: 1, controllers: ["cpu", "cpuacct"] },
      { root: "/nowhere/unified", version: 2, controllers: [] },
    ]);
  });

  test("of version 2 hold all limits in one folder, and are given their controllers", () => {
    const unified = hierarchyWith(2, ["cpu", "memory", "pids"], ["cpu.max", "memory.max", "pids.max"]);
    const made = makeCgroups([unified], "t", LIMITS);
    const read = (file: string): string => readFileSync(join(unified.root, file), "utf8");
    expect([made.unenforced, read("t/cpu.max"), read("t/memory.max"), read("t/pids.max")]).toEqual([
      [],
      "50000 100000",
      "1000",
      "64",
    ]);
    expect(read("cgroup.subtree_control")).toContain("+pids");
  });

  test("of version 1 hold each limit in its controller's folder", () => {
    const cpu = hierarchyWith(1, ["cpu"], ["cpu.cfs_period_us", "cpu.cfs_quota_us"]);
    const made = makeCgroups([cpu], "t", { cpu: 2 });
    expect([made.folders, readFileSync(join(cpu.root, "t/cpu.cfs_quota_us"), "utf8")]).toEqual([
      [join(cpu.root, "t")],
      "200000",
    ]);
  });

  test("that are not there leave the limits unenforced, and named", () => {
    expect(makeCgroups([], "t", LIMITS)).toEqual({
      folders: [],
      unenforced: ["cpu", "memoryBytes", "pidsMax"],
    });
  });
});
