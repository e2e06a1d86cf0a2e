import { describe, expect, test } from "bun:test";
import {
  type BackupManifest,
  backupFor,
  backupId,
  pointProblem,
  recoverySettings,
  surplusBackups,
  surplusWal,
} from "./backups.ts";

function backup(id: string, endedAtMs: number, start: string, stop: string): BackupManifest {
  const about = {
    format: 1,
    label: "",
    systemIdentifier: "1",
    version: 180_004,
    timeline: 1,
    files: [],
  } as const;
  return { ...about, id, startedAtMs: endedAtMs - 1, endedAtMs, start, stop };
}

const BACKUPS = [
  backup("a", 1000, "0/1000028", "0/1000100"),
  backup("b", 2000, "0/3000028", "0/3000100"),
  backup("c", 3000, "0/5000028", "0/5000100"),
];

describe("a restore", () => {
  const chosen = (point: Parameters<typeof backupFor>[1]): string | undefined =>
    backupFor(BACKUPS, point)?.id;

  test("begins with the newest backup that ended before the point", () => {
    expect(chosen({ kind: "time", at: new Date(2999).toISOString() })).toBe("b");
    expect(chosen({ kind: "time", at: new Date(3000).toISOString() })).toBe("c");
    expect(chosen({ kind: "lsn", at: "0/3000100" })).toBe("b");
    expect(chosen({ kind: "lsn", at: "0/30000FF" })).toBe("a");
    expect(chosen({ kind: "latest" })).toBe("c");
    expect(chosen({ kind: "time", at: new Date(999).toISOString() })).toBeUndefined();
  });

  test("tells Postgres the point in its words", () => {
    const at = "2026-01-02T03:04:05.678Z";
    expect(recoverySettings({ kind: "time", at }, "cp")).toEqual({
      restore_command: "cp",
      recovery_target_action: "promote",
      recovery_target_time: "2026-01-02 03:04:05.678+00",
    });
    expect(pointProblem({ kind: "time", at: "yesterday-ish" })).toContain("is no time");
    expect(pointProblem({ kind: "lsn", at: "0x12" })).toContain("no position");
  });
});

describe("retention", () => {
  test("keeps the newest, and never none", () => {
    expect(surplusBackups(BACKUPS, 2).map(({ id }) => id)).toEqual(["a"]);
    expect(surplusBackups(BACKUPS, 0).map(({ id }) => id)).toEqual(["b", "a"]);
  });

  test("keeps the log from the oldest kept backup on, and all histories", () => {
    const names = [
      "000000010000000000000002",
      "000000010000000000000003",
      "000000020000000000000002.partial",
      "00000002.history",
      "000000010000000000000001.00000028.backup",
    ];
    expect(surplusWal(names, BACKUPS.slice(1))).toEqual([
      "000000010000000000000002",
      "000000020000000000000002.partial",
      "000000010000000000000001.00000028.backup",
    ]);
    expect(surplusWal(names, [])).toEqual([]);
  });
});

test("a backup's name is when it began", () => {
  expect(backupId(Date.parse("2026-01-02T03:04:05.678Z"))).toBe("20260102T030405Z");
});
