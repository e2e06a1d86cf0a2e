import { afterEach, expect, test } from "bun:test";
import { Client, get, ok, Relay, stopAll, Target, track } from "./index.ts";

afterEach(stopAll);

test("a relay passes bytes on after its delay, in order, both ways", async () => {
  const target = track(await Target.start(({ head }) => ok(head.slice(4, 8))));
  const relay = track(await Relay.start(target.port, 30));
  const client = await Client.connect(relay.port);
  const start = performance.now();
  expect((await client.ask(get("/abc"))).body).toBe("/abc");
  expect(performance.now() - start).toBeWithin(59, 200);
  relay.delayMs = 0;
  const many = Array.from({ length: 200 }, (_, at) => `/${100 + at}`);
  for (const path of many) client.send(get(path));
  for (const path of many) expect((await client.answer()).body).toBe(path);
});

test("cut, it resets what is open and refuses what is new; mended, it passes on again", async () => {
  const target = track(await Target.start());
  const relay = track(await Relay.start(target.port));
  const client = await Client.connect(relay.port);
  expect((await client.ask(get("/"))).status).toBe(200);
  relay.isCut = true;
  await client.closes();
  const refused = await Client.connect(relay.port);
  await refused.closes();
  relay.isCut = false;
  expect((await (await Client.connect(relay.port)).ask(get("/"))).status).toBe(200);
});
