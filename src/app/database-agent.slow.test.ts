import { afterAll, describe, expect, test } from "bun:test";
import { chmodSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { freePort } from "../base/testing.ts";
import { AgentClient } from "../database/io/index.ts";
import { NO_POSTGRES, until } from "../database/testing/servers.ts";
import { PgConnection } from "../pgwire/io/index.ts";
import { agentAddress, prepareToken, readPasswords, serversIn } from "./cluster-folder.ts";

const PROGRAM = fileURLToPath(new URL("./database-agent.ts", import.meta.url));

const folder = mkdtempSync(join(tmpdir(), "tenfold-agent-"));
chmodSync(folder, 0o755);
const port = freePort();
const agents: Bun.Subprocess[] = [];

afterAll(async () => {
  const last = agents.at(-1);
  last?.kill("SIGTERM");
  await last?.exited;
  rmSync(folder, { recursive: true, force: true });
});

/** An agent in a process of its own, once it answers. */
async function startAgent(): Promise<{ child: Bun.Subprocess; client: AgentClient }> {
  const settings = { name: "db1", folder, address: { host: "127.0.0.1", port }, create: true };
  const child = Bun.spawn([process.execPath, PROGRAM, JSON.stringify(settings)], {
    stdout: "ignore",
    stderr: "ignore",
  });
  agents.push(child);
  let client: AgentClient | undefined;
  await until(
    "the agent answers",
    async () => {
      if (!serversIn(folder).includes("db1")) return false;
      client = new AgentClient(agentAddress(folder, "db1"), prepareToken(folder, "db1"));
      return client.facts(1000, true).then(
        (facts) => facts.state === "running",
        () => false,
      );
    },
    15_000,
  );
  return { child, client: client as AgentClient };
}

describe.skipIf(NO_POSTGRES)("the process of an agent (needs Postgres)", () => {
  test("may be killed or replaced: its server goes on without an error, and the next agent adopts it", async () => {
    const first = await startAgent();
    const { pid } = await first.client.facts(1000);
    const { superuser } = readPasswords(folder);
    const user = await PgConnection.connect({
      host: "127.0.0.1",
      port,
      user: "postgres",
      password: superuser,
    });
    await user.query("create table kept (id int)");
    first.child.kill("SIGKILL");
    await first.child.exited;
    await user.query("insert into kept values (1)");
    const second = await startAgent();
    expect((await second.client.facts(1000)).pid).toBe(pid);
    second.child.kill("SIGHUP");
    expect(await second.child.exited).toBe(0);
    await user.query("insert into kept values (2)");
    const third = await startAgent();
    expect((await third.client.facts(1000)).pid).toBe(pid);
    process.kill(pid ?? 0, "SIGKILL");
    await until("it runs again", async () => {
      const facts = await third.client.facts(1000, true).catch(() => undefined);
      return facts?.state === "running" && facts.pid !== pid && facts.view !== null;
    });
    third.child.kill("SIGTERM");
    expect(await third.child.exited).toBe(0);
    expect(readFileSync(join(folder, "db1/postgres.log"), "utf8")).toContain("database system is shut down");
  }, 60_000);

  test("is the only one of its server", async () => {
    await startAgent();
    const other = Bun.spawn(
      [
        process.execPath,
        PROGRAM,
        JSON.stringify({ name: "db1", folder, address: { host: "127.0.0.1", port }, create: false }),
      ],
      { stderr: "pipe" },
    );
    expect([await other.exited, await other.stderr.text()]).toEqual([
      1,
      expect.stringContaining("has an agent already"),
    ]);
  }, 30_000);
});
