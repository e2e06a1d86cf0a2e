import { describe, expect, test } from "bun:test";
import { slotName } from "../../server-settings.ts";
import { cloneFolder, isLeft, nameOfFolder, nameOfSlot, newCloneName } from "./clone-name.ts";

describe("the name of a throw-away clone", () => {
  test("is found again in its folder's and its slot's", () => {
    const name = newCloneName();
    expect(nameOfFolder(cloneFolder(name))).toBe(name);
    expect(nameOfSlot(slotName(name))).toBe(name);
    expect(newCloneName()).not.toBe(name);
  });

  test("is in no other", () => {
    for (const slot of [
      "tenfold_db1",
      "tenfold_advice_x",
      "tenfold_advice_1_2_3",
      "advice_1_01234567_abcdef",
    ])
      expect(nameOfSlot(slot)).toBeUndefined();
    for (const folder of [
      "tenfold-advice-abcdef",
      "tenfold-advice-1-01234567-abcdef.x",
      "x-tenfold-advice-1-01234567-abcdef",
    ])
      expect(nameOfFolder(folder)).toBeUndefined();
  });

  test("says whether its process is there: a later one with the same pid is another", async () => {
    const name = newCloneName();
    expect(isLeft(name)).toBe(false);
    expect(isLeft(name.replace(/-[0-9a-f]{8}-/, "-01234567-"))).toBe(true);
    const child = Bun.spawn(["true"]);
    await child.exited;
    expect(isLeft(name.replace(String(process.pid), String(child.pid)))).toBe(true);
  });
});
