import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type StartedProxy, startProxy } from "../../bench/harness/proxies.ts";
import { CORPUS } from "./corpus.ts";
import { type Lane, type Played, playCorpus, startOrigins } from "./play.ts";

const LANES = 8;

/** The whole corpus takes a second; a machine that is busy with the other tests may take some more. */
const PLAY_DEADLINE_MS = 30_000;

const folder = mkdtempSync(join(tmpdir(), "tenfold-corpus-"));
let gateway: StartedProxy;
let lanes: Lane[];

beforeAll(async () => {
  const origins = await startOrigins(LANES);
  gateway = await startProxy(
    "tenfold",
    folder,
    origins.map(({ port }) => [port]),
  );
  lanes = origins.map((origin, index) => ({ origin, port: gateway.ports[index]! }));
});

afterAll(async () => {
  await gateway.process.stop();
  for (const { origin } of lanes) origin.stop();
  rmSync(folder, { recursive: true });
});

function faultsIn(results: readonly Played[], family: string): string[] {
  const wrong = results.filter((result) => result.family === family && result.fault !== undefined);
  return wrong.map(({ name, fault }) => `${name}: ${fault}`);
}

for (const delivery of ["whole", "bytewise"] as const) {
  describe(`requests sent ${delivery}`, () => {
    let results: Played[];
    beforeAll(async () => {
      results = await playCorpus(lanes, { delivery, strict: true });
    }, PLAY_DEADLINE_MS);

    for (const family of Object.keys(CORPUS)) {
      test(`${family}: what must be refused reaches no target, what is valid arrives unchanged`, () => {
        expect(faultsIn(results, family)).toEqual([]);
      });
    }
  });
}

test("the corpus holds more cases than the public collections of raw requests", () => {
  const names = Object.entries(CORPUS).flatMap(([family, rows]) =>
    rows.map(({ name }) => `${family}: ${name}`),
  );
  expect(new Set(names).size).toBe(names.length);
  expect(names.length).toBeGreaterThan(400);
});
