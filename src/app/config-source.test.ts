import { expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { systemScheduler } from "../base/index.ts";
import { configSource } from "./config-source.ts";
import { cachedConfig } from "./testing/cached-site.ts";

test("a file from which all but steering was taken is refused: it would stop everything that serves", async () => {
  const folder = mkdtempSync(join(tmpdir(), "tenfold-source-"));
  try {
    const path = join(folder, "tenfold.config.json");
    const steering = {
      zone: "cdn.example",
      nameservers: { "ns.elsewhere.example": [] },
      edges: { a: { region: "eu", addresses: "192.0.2.1" } },
      regions: { eu: {} },
    };
    writeFileSync(path, JSON.stringify({ steering }));
    const source = configSource(path, cachedConfig([{ forward: "origin" }]), systemScheduler);
    expect(await source.read()).toEqual({
      kind: "problems",
      problems: ["config: has neither listeners nor services; write them again, or `tenfold down`"],
    });
    writeFileSync(path, JSON.stringify({ steering, services: { web: { command: ["true"] } } }));
    expect(await source.read()).toMatchObject({ kind: "ok" });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
