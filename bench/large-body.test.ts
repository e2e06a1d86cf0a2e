import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import type { Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startBulkTarget, transfer } from "./harness/bulk.ts";
import { peakGrowthOf } from "./harness/proc.ts";
import { type StartedProxy, startProxy } from "./harness/proxies.ts";

const BODY_BYTES = 256 * 2 ** 20;
const WARM_UP_BYTES = 32 * 2 ** 20;

/** A quarter of the body; `large-body.ts` holds the same bound against 4 GiB. */
const GROWTH_BYTES_MAX = 64 * 2 ** 20;

const folder = mkdtempSync(join(tmpdir(), "tenfold-large-body-"));
let target: { port: number; server: Server };
let gateway: StartedProxy;

beforeAll(async () => {
  target = await startBulkTarget();
  gateway = await startProxy("tenfold", folder, [[target.port]]);
});

afterAll(async () => {
  await gateway.process.stop();
  target.server.close();
  rmSync(folder, { recursive: true });
});

for (const direction of ["download", "upload"] as const) {
  test(`a ${direction} of 256 MiB against a slow reader arrives whole and memory stays flat`, async () => {
    const port = gateway.ports[0]!;
    await transfer(direction, port, WARM_UP_BYTES);
    const growth = await peakGrowthOf(gateway.process.pid, async () => {
      expect(await transfer(direction, port, BODY_BYTES)).toBe(BODY_BYTES);
    });
    expect(growth).toBeLessThan(GROWTH_BYTES_MAX);
  }, 30_000);
}
