import { describe, expect, test } from "bun:test";
import { archiveGap, newestArchived } from "./archive-gap.ts";

const BACKUP = { start: "0/3000028", stop: "0/4000000", timeline: 1 };

const file = (timeline: number, number: number): string =>
  `0000000${timeline}00000000${number.toString(16).toUpperCase().padStart(8, "0")}`;
const files = (timeline: number, ...numbers: number[]): string[] =>
  numbers.map((number) => file(timeline, number));

describe("an archive", () => {
  test("has no gap when each file from the backup's first on is there", () => {
    expect(archiveGap(files(1, 3, 4, 5), BACKUP, 1, [])).toBeUndefined();
    expect(archiveGap(files(1, 1, 3), BACKUP, 1, [])).toBeUndefined();
  });

  test("has a gap where a file is missing and a later one is there", () => {
    expect(archiveGap(files(1, 3, 5), BACKUP, 1, [])).toEqual({ name: file(1, 4), breaksBackup: false });
  });

  test("without the files that a backup was made in is of no use to it", () => {
    expect(archiveGap(files(1, 4), BACKUP, 1, [])).toEqual({ name: file(1, 3), breaksBackup: true });
    expect(archiveGap([], BACKUP, 1, [])).toEqual({ name: file(1, 3), breaksBackup: true });
  });

  test("goes on with the next timeline, and what another one has does not fill a gap", () => {
    const forks = [{ timeline: 1, at: 0x5000100n }];
    const names = [...files(1, 3, 4), `${file(1, 5)}.partial`, ...files(3, 5, 6)];
    expect(archiveGap(names, BACKUP, 3, forks)).toBeUndefined();
    const without = [...files(1, 3, 4), ...files(2, 5), ...files(3, 6)];
    expect(archiveGap(without, BACKUP, 3, forks)).toEqual({ name: file(1, 5), breaksBackup: false });
  });

  test("ends on the newest timeline whose history follows without a break", () => {
    expect(newestArchived(["00000002.history", "00000003.history", "00000005.history"], 1)).toBe(3);
    expect(newestArchived([], 1)).toBe(1);
  });
});
