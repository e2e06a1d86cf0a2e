/** What an app imports, built and run on Node.js 22. That is installed apart: `npm ci --prefix conformance/node22`. */
import { expect, test } from "bun:test";
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { hasPostgres, startPostgres } from "../../src/base/testing/postgres.ts";
import { startEmbedded } from "../../src/resp/testing/store-servers.ts";

const ROOT = join(import.meta.dir, "../..");
const NODE = join(import.meta.dir, `node_modules/node-linux-${process.arch}/bin/node`);

/** A folder like an app's: the package as it is published, its dependencies and Express. */
function installed(): string {
  const app = mkdtempSync(join(tmpdir(), "tenfold-node22-"));
  const tenfold = join(app, "tenfold");
  const built = Bun.spawnSync(
    [join(ROOT, "node_modules/.bin/tsc"), "-p", "tsconfig.build.json", "--outDir", join(tenfold, "dist")],
    { cwd: ROOT },
  );
  expect(built.stdout.toString()).toBe("");
  copyFileSync(join(ROOT, "package.json"), join(tenfold, "package.json"));
  copyFileSync(join(import.meta.dir, "doors.js"), join(app, "doors.js"));
  copyFileSync(join(import.meta.dir, "package.json"), join(app, "package.json"));
  const { dependencies, exports } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8")) as {
    readonly dependencies: Record<string, string>;
    readonly exports: Record<string, unknown>;
  };
  const program = readFileSync(join(app, "doors.js"), "utf8");
  expect(Object.keys(exports).filter((door) => !program.includes(`"tenfold${door.slice(1)}"`))).toEqual([]);
  mkdirSync(join(app, "node_modules"));
  symlinkSync(tenfold, join(app, "node_modules/tenfold"));
  for (const name of [...Object.keys(dependencies), "express", "pg", "pg-boss"]) {
    mkdirSync(dirname(join(app, "node_modules", name)), { recursive: true });
    symlinkSync(join(ROOT, "node_modules", name), join(app, "node_modules", name));
  }
  return app;
}

test.skipIf(!existsSync(NODE))(
  "every door of the package works on Node.js 22 (needs npm ci --prefix conformance/node22)",
  async () => {
    const store = await startEmbedded();
    const postgres = !hasPostgres ? undefined : await startPostgres({ settings: "synchronous_commit = on" });
    const app = installed();
    const child = Bun.spawn([NODE, "--test-reporter=tap", "--test-force-exit", "doors.js"], {
      cwd: app,
      env: { ...process.env, STORE: store.url, DATABASE: postgres?.url ?? "" },
      stdout: "pipe",
      stderr: "pipe",
    });
    const [printed, complaints] = await Promise.all([
      new Response(child.stdout).text(),
      new Response(child.stderr).text(),
    ]);
    await child.exited;
    await Promise.all([store.stop(), postgres?.stop()]);
    rmSync(app, { recursive: true });
    expect(printed).toContain("# fail 0\n");
    expect(Number(/^# pass (\d+)$/m.exec(printed)?.[1])).toBeGreaterThanOrEqual(
      postgres === undefined ? 13 : 14,
    );
    expect([child.exitCode, complaints]).toEqual([0, ""]);
  },
  120_000,
);
