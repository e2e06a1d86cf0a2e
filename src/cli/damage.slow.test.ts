/** What people and machines do to a running tenfold: files deleted, changed, or impossible to write. */
import { afterAll, describe, expect, test } from "bun:test";
import { spawnSync } from "node:child_process";
import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import type { Status } from "../app/index.ts";
import { AppFolders, MAIN, startLoad, status, tenfold, text, until } from "./testing/app-folder.ts";

const folders = new AppFolders();
afterAll(() => folders.remove(), 30_000);

function taskPids(now: Status): unknown[] {
  return now.services.flatMap(({ tasks }) => tasks.map(({ pid }) => pid));
}

/** A small disk of its own in `folder`, which is made; undefined where this user may not mount one. */
function mountDisk(folder: string, size: string): Disposable | undefined {
  mkdirSync(folder);
  const { status: code } = spawnSync("mount", ["-t", "tmpfs", "-o", `size=${size}`, "tmpfs", folder]);
  if (code !== 0) return undefined;
  return { [Symbol.dispose]: () => void spawnSync("umount", ["-l", folder]) };
}

const mayMount = (() => {
  using disk = mountDisk(join(folders.make("probe").folder, "disk"), "1m");
  return disk !== undefined;
})();

describe("while it runs", () => {
  const { folder, url } = folders.make("damaged");
  const state = join(folder, ".tenfold");
  const config = join(folder, "tenfold.config.json");

  test("a scoreboard that is deleted is made anew, new workers take over, and no request is lost", async () => {
    await tenfold(["up", "--detach"], folder);
    const before = (await status(folder)).gateway.workers;
    const load = startLoad(url);
    rmSync(join(state, "gateway/scoreboard"));
    await until(async () => {
      const { workers } = (await status(folder)).gateway;
      return workers.length === 1 && workers[0]?.state === "serving" && workers[0].pid !== before[0]?.pid;
    });
    expect((await load.stop()).failures).toEqual([]);
  }, 20_000);

  test("a snapshot that is damaged is written anew", async () => {
    const path = join(state, "gateway/snapshot.json");
    const whole = readFileSync(path, "utf8");
    writeFileSync(path, whole.slice(0, 100));
    await until(() => readFileSync(path, "utf8") === whole);
    expect(await text(url)).toContain(" one ");
  }, 20_000);

  test("a config that is deleted changes nothing, and a reload says that it is not there", async () => {
    renameSync(config, `${config}.away`);
    const { code, out } = await tenfold(["reload"], folder);
    expect([code, out]).toEqual([1, expect.stringContaining(`${config}: does not exist; check the name`)]);
    expect(await text(url)).toContain(" one ");
    renameSync(`${config}.away`, config);
  }, 20_000);
});

describe.concurrent("at its start", () => {
  test("a controller that finds neither scoreboard nor snapshot adopts the tasks all the same", async () => {
    const { folder, url } = folders.make("emptied");
    await tenfold(["up", "--detach"], folder);
    const before = await status(folder);
    process.kill(before.controller.pid, "SIGKILL");
    rmSync(join(folder, ".tenfold/gateway"), { recursive: true });
    expect((await tenfold(["up", "--detach"], folder)).code).toBe(0);
    expect(taskPids(await status(folder))).toEqual(taskPids(before));
    expect(await text(url)).toContain(" one ");
  }, 20_000);

  test("a damaged journal is cut where it is damaged, which is told, and the app comes up", async () => {
    const { folder, url } = folders.make("bad-journal");
    mkdirSync(join(folder, ".tenfold"));
    writeFileSync(join(folder, ".tenfold/journal"), "this is no journal of ours");
    const { code, out } = await tenfold(["up", "--detach"], folder);
    expect([code, out]).toEqual([0, expect.stringContaining("the journal is damaged: its last 26 bytes")]);
    expect(await text(url)).toContain(" one ");
  }, 20_000);

  test("a state directory that cannot be made is named, with the reason and the mend", async () => {
    const { folder } = folders.make("no-state");
    for (const words of [["up"], ["up", "--detach"]]) {
      const { code, err } = await tenfold([...words, "--state", "app.js/state"], folder);
      expect(code).toBe(1);
      expect(err).toMatch(
        /^tenfold: the state directory \S+\/app.js\/state cannot be used: part of its path is no folder .* --state DIR$/,
      );
    }
  }, 20_000);

  test("an admin address in use is named, with the mend", async () => {
    const { folder, admin } = folders.make("admin-in-use");
    using _ = Bun.serve({ port: admin, hostname: "127.0.0.1", fetch: () => new Response("mine") });
    const { code, err } = await tenfold(["up"], folder);
    expect([code, err]).toEqual([
      1,
      `tenfold: the admin address 127.0.0.1:${admin} cannot be opened (EADDRINUSE): stop what uses it (another tenfold?), or set admin.address`,
    ]);
  }, 20_000);

  test("a program that is not there ends `run` at once", async () => {
    const { folder } = folders.make("no-program");
    const { code, err } = await tenfold(["run", "--", "nodee", "app.js"], folder);
    expect([code, err]).toEqual([
      1,
      'tenfold: no program "nodee" in PATH: install it, or give its full path',
    ]);
  }, 20_000);
});

describe.concurrent("on a full disk", () => {
  test.skipIf(!existsSync("/dev/full"))(
    "logs that cannot be written end nothing (needs /dev/full)",
    async () => {
      const { folder, url } = folders.make("full-logs");
      const logs = join(folder, ".tenfold/logs");
      mkdirSync(join(logs, "gateway"), { recursive: true });
      for (const name of ["controller.log", "gateway/worker-1.log"])
        symlinkSync("/dev/full", join(logs, name));
      const full = openSync("/dev/full", "w");
      const child = Bun.spawn([process.execPath, MAIN, "up"], { cwd: folder, stdio: ["ignore", full, full] });
      closeSync(full);
      await until(async () => (await fetch(url).catch(() => undefined))?.status === 200);
      await until(async () => (await status(folder)).services[0]?.healthy === 2);
      expect(child.exitCode).toBeNull();
      child.kill("SIGTERM");
      expect(await child.exited).toBe(0);
    },
    20_000,
  );

  test.skipIf(!mayMount)("nothing is started (needs the right to mount)", async () => {
    const { folder } = folders.make("full");
    using _ = mountDisk(join(folder, "state"), "1m");
    const { code, err } = await tenfold(["up", "--state", "state"], folder);
    expect([code, err]).toEqual([1, expect.stringContaining("cannot be used: its disk is full (ENOSPC)")]);
  });

  test.skipIf(!mayMount)(
    "what runs serves on, status says so, and all goes on afterwards (needs the right to mount)",
    async () => {
      const { folder, url } = folders.make("filled");
      using _ = mountDisk(join(folder, ".tenfold"), "16m");
      await tenfold(["up", "--detach"], folder);
      const fill = join(folder, ".tenfold/fill");
      spawnSync("dd", ["if=/dev/zero", `of=${fill}`, "bs=1k"]);
      // There may be room for some records in what the files have already: then it is what comes next that fails.
      let count = 2;
      await until(async () => {
        count = 5 - count;
        const { err } = await tenfold(["scale", "web", String(count), "--no-wait"], folder);
        return `${err} ${(await status(folder)).controller.problem}`.includes("free space");
      });
      expect(await text(url)).toContain(" one ");
      rmSync(fill);
      await until(async () => (await status(folder)).controller.problem === null);
      await tenfold(["down"], folder);
    },
    20_000,
  );
});
