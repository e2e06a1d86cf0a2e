import { expect, test } from "bun:test";
import { killAgainAndAgain } from "./kill.ts";

test("the store, killed at random points with fsync always, loses nothing that it acknowledged", async () => {
  const { lost, acknowledged } = await killAgainAndAgain(6, 3);
  expect(lost).toBe(0);
  expect(acknowledged).toBeGreaterThan(50);
}, 60_000);
