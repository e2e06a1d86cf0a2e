import { describe, expect, test } from "bun:test";
import { buildSnapshot, type SnapshotParts } from "./build-snapshot.ts";
import type { Snapshot, Target } from "./snapshot.ts";
import { config, good, grouped, serving, snapshot, task } from "./testing.ts";

function targetsOf({ targetGroups }: Snapshot, name = "web"): readonly Target[] {
  return targetGroups.find((group) => group.name === name)?.targets ?? [];
}

function refusal(parts: Partial<SnapshotParts>): unknown {
  const outcome = buildSnapshot({ config: good(config()), tasks: [], revision: 1, ...parts });
  return outcome.kind === "ok" ? undefined : [outcome.reason, outcome.message];
}

describe("buildSnapshot", () => {
  test("a target is known by its name, where it has one, else by its address", () => {
    const targets = [{ address: "10.0.0.1:80", name: "s1" }, "10.0.0.2:80"];
    const made = snapshot({ config: good(grouped({ targets })) });
    expect(targetsOf(made, "far").map(({ id, address }) => [id, address.host])).toEqual([
      ["s1", "10.0.0.1"],
      ["10.0.0.2:80", "10.0.0.2"],
    ]);
  });

  test("a service's tasks are the targets of its group, static targets those of theirs", () => {
    const made = snapshot({
      config: good(grouped({})),
      tasks: [task(4001), task(4002, { state: "draining" })],
    });
    expect(targetsOf(made).map(({ id, state, weight }) => [id, state, weight])).toEqual([
      ["127.0.0.1:4001", "active", 1],
      ["127.0.0.1:4002", "draining", 1],
    ]);
    expect(targetsOf(made, "far").map(({ id, state }) => [id, state])).toEqual([
      ["127.0.0.1:9001", "active"],
    ]);
  });

  test("a target keeps its row while others come and go", () => {
    const first = snapshot({ tasks: [task(1), task(2), task(3)] });
    const second = snapshot({ previous: first, tasks: [task(4), task(3), task(1, { state: "draining" })] });
    const slots = Object.fromEntries(targetsOf(second).map(({ id, slot }) => [id, slot]));
    expect(slots).toEqual({ "127.0.0.1:1": 0, "127.0.0.1:3": 2, "127.0.0.1:4": 3 });
  });

  test("groups keep their rows too", () => {
    const first = snapshot({ config: good(grouped({})) });
    const again = good(config({ targetGroups: { near: { targets: [1] } } }));
    const second = snapshot({ config: again, previous: first });
    expect(second.targetGroups.map(({ name, slot }) => [name, slot])).toEqual([
      ["near", 2],
      ["web", 1],
    ]);
  });

  test("the same address in two groups is two targets", () => {
    const made = snapshot({ config: good(grouped({})), tasks: [task(9001)] });
    expect(new Set([...targetsOf(made), ...targetsOf(made, "far")].map(({ slot }) => slot)).size).toBe(2);
  });

  test("nothing can change it", () => {
    expect(Object.isFrozen(targetsOf(snapshot({ tasks: [task(1)] }))[0]?.address)).toBe(true);
  });

  test("the same target twice is refused", () => {
    const tasks = [task(1), task(1, { state: "draining" })];
    expect(refusal({ tasks })).toEqual(["duplicate-target", "127.0.0.1:1 is in the group web twice"]);
  });

  test("a task of an unknown service is refused", () => {
    const message = "the task at 127.0.0.1:1 is of no known service: api";
    expect(refusal({ tasks: [task(1, { service: "api" })] })).toEqual(["unknown-service", message]);
  });

  test("a revision that does not grow is refused", () => {
    const previous = snapshot();
    expect(refusal({ previous, revision: 1 })).toEqual(["old-revision", "revision 1 is not above 1"]);
  });

  test("more targets than rows are refused", () => {
    const tasks = Array.from({ length: 4097 }, (_, index) => task(index + 1));
    const message = "4097 targets; keep to 4096, draining ones included";
    expect(refusal({ config: good(serving({})), tasks })).toEqual(["too-many-targets", message]);
  });
});
