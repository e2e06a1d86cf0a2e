import { describe, expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { tmpdir } from "node:os";
import { NO_POSTGRES } from "../database/testing/servers.ts";
import { spawn, tenfold } from "./testing/app-folder.ts";

describe.skipIf(NO_POSTGRES)("tenfold db demo (needs Postgres)", () => {
  test("kills a primary under load: another one takes over, and no acknowledged write is lost", async () => {
    const { code, out, err } = await tenfold(["db", "demo", "--json"], tmpdir());
    expect({ code, err }).toEqual({ code: 0, err: "" });
    const told = JSON.parse(out) as Record<string, number | string>;
    expect(told).toMatchObject({ mode: "quorum", before: "db1", term: 2, lost: 0 });
    expect(["db2", "db3"]).toContain(String(told["after"]));
    expect(Number(told["acknowledged"])).toBeGreaterThan(100);
  }, 120_000);

  test("leaves nothing behind when it is stopped early", async () => {
    const demo = spawn(["db", "demo"], tmpdir());
    const reader = demo.stdout.getReader();
    let said = "";
    while (!said.includes("is primary;")) said += new TextDecoder().decode((await reader.read()).value);
    demo.kill("SIGINT");
    expect(await demo.exited).toBe(1);
    const folder = /in (\S+)/.exec(said)?.[1] ?? "";
    expect(folder).toContain("tenfold-demo-");
    expect(existsSync(folder)).toBe(false);
  }, 120_000);
});
