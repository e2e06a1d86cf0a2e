import { expect, test } from "bun:test";
import { adminClient } from "./admin-client.ts";
import { eventOf, fakeController, statusOf, wallMs } from "./testing.ts";
import { press, read, viewOf } from "./top-state.ts";

test("each look adds what happened since the last one", async () => {
  using controller = fakeController({ events: [eventOf(1, "web", "one")] });
  const client = adminClient(controller.state);
  const first = await read(client, wallMs(0), undefined);
  controller.answers.events.push(eventOf(2, "web", "two"));
  const second = await read(client, wallMs(1), first);
  expect(second.events.map(({ message }) => message)).toEqual(["one", "two"]);
  expect(second.previous).toEqual(first.reading);
  expect(controller.requests).toContain("GET /v1/events?after=1");
});

test("a new controller's events begin anew", async () => {
  using controller = fakeController({ events: [eventOf(1, "web", "old"), eventOf(2, "web", "old")] });
  const client = adminClient(controller.state);
  const first = await read(client, wallMs(0), undefined);
  Object.assign(controller.answers, {
    status: () => statusOf({ pid: 9 }),
    events: [eventOf(1, "web", "new")],
  });
  const second = await read(client, wallMs(1), first);
  expect(second.events.map(({ message }) => message)).toEqual(["new"]);
});

test("while the controller is away the last reading stays, with the time since when", async () => {
  const controller = fakeController();
  const client = adminClient(controller.state);
  const first = await read(client, wallMs(0), undefined);
  controller[Symbol.dispose]();
  const second = await read(client, wallMs(1), first);
  const third = await read(client, wallMs(2), second);
  expect(viewOf(third)).toMatchObject({ reading: first.reading, awaySinceMs: wallMs(1) });
});

test("keys quit, pause, go round the sorts and to the cache and back; others do nothing", async () => {
  using controller = fakeController();
  const state = await read(adminClient(controller.state), wallMs(), undefined);
  expect([press(state, "q").quit, press(state, "\x03").quit]).toEqual([true, true]);
  expect(press(press(state, "p"), "p")).toEqual(state);
  expect(["s", "s", "s", "s"].reduce(press, state)).toEqual(state);
  expect(press(state, "c").page).toBe("cache");
  expect(press(press(state, "c"), "c")).toEqual(state);
  expect(press(state, "x")).toBe(state);
});
