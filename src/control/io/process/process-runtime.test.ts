import { describe, expect, test } from "bun:test";
import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { eventually, isRunning } from "../../testing/eventually.ts";
import { temporaryFolder } from "../../testing/folders.ts";
import { logText, requestOf, shell, start, testRuntime } from "../../testing/processes.ts";
import { detectHierarchies, makeCgroups, removeCgroups } from "./cgroups.ts";
import { isOurs } from "./members.ts";

const HAS_CGROUPS = hasCgroups();

function hasCgroups(): boolean {
  const { folders } = makeCgroups(detectHierarchies(), `tenfold/probe-${process.pid}`, {});
  removeCgroups(folders);
  return folders.length > 0;
}

/** With control groups where the machine has them, and without. */
const RUNTIMES = {
  ...(HAS_CGROUPS ? { "in control groups": () => testRuntime() } : {}),
  "without control groups": () => testRuntime([]),
};

for (const [name, runtimeOf] of Object.entries(RUNTIMES)) {
  describe(`a process ${name}`, () => {
    test("gets its task, service, nonce and a free port, and writes to its log", async () => {
      const request = requestOf(
        shell('echo "$TENFOLD_TASK $TENFOLD_SERVICE $TENFOLD_NONCE $PORT $A $(pwd)"'),
        {
          needsPort: true,
          env: { A: "b c" },
          cwd: "/tmp",
        },
      );
      const { process: child, exit } = await start(runtimeOf(), request);
      expect(await exit).toEqual({ kind: "code", code: 0 });
      expect(await logText(child)).toBe(`web/1 web ${request.nonce} ${child.port} b c /tmp\n`);
    });

    test("has an end of its log of its own, not that of the process before it", async () => {
      const runtime = runtimeOf();
      for (const word of ["first", "second"]) {
        const { process: child, exit } = await start(runtime, requestOf(shell(`echo ${word}`)));
        await exit;
        expect(runtime.logTail(child, 5)).toEqual([word]);
      }
    });

    test("leads its own session", async () => {
      const { process: child } = await start(
        runtimeOf(),
        requestOf(shell("cut -d' ' -f6 /proc/$$/stat; exec sleep 60")),
      );
      expect(Number(await eventually(() => logText(child)))).toBe(child.pid);
    });

    test("that ends tells how, at once", async () => {
      const runtime = runtimeOf();
      const failing = await start(runtime, requestOf(shell("exit 3")));
      const killed = await start(runtime, requestOf(shell("kill -9 $$")));
      expect(await failing.exit).toEqual({ kind: "code", code: 3 });
      expect(await killed.exit).toEqual({ kind: "signal", signal: "SIGKILL" });
    });

    test("is asked by SIGTERM, together with its children, and has ended when the last of them has", async () => {
      const runtime = runtimeOf();
      const script =
        "(trap 'echo child done; exit' TERM; echo up; while :; do sleep 0.02; done) & sleep 60 & wait $!";
      const { process: child, exit } = await start(runtime, requestOf(shell(script)));
      await eventually(async () => (await logText(child)).includes("up"));
      runtime.terminate(child);
      await exit;
      expect(await logText(child)).toContain("child done");
    });

    test("that ignores SIGTERM is ended by kill, with all it started and nothing else", async () => {
      const runtime = runtimeOf();
      const bystander = await start(runtime, requestOf(["sleep", "60"], { task: "web/2" }));
      const script = "trap '' TERM; setsid sh -c 'echo $$; exec sleep 60' & while :; do sleep 0.05; done";
      const { process: child, exit } = await start(runtime, requestOf(shell(script)));
      const grandchild = Number(await eventually(() => logText(child)));
      runtime.terminate(child);
      runtime.kill(child);
      expect(await exit).toEqual({ kind: "signal", signal: "SIGKILL" });
      expect([await isRunning(grandchild), await isRunning(bystander.process.pid)]).toEqual([false, true]);
    });

    test("that is outlived leaves what it started in a session of its own, and nothing else", async () => {
      const script = "setsid env -i sh -c 'echo $$; exec sleep 60' & sleep 0.1; sleep 61 & echo $!; exit 1";
      const { process: child, exit } = await start(runtimeOf(), requestOf(shell(script), { outlived: true }));
      await exit;
      const [outlives = 0, child2 = 0] = (await logText(child)).split("\n").map(Number);
      expect([await isRunning(outlives), await isRunning(child2)]).toEqual([true, false]);
      process.kill(outlives, "SIGKILL");
    });

    test("that crashes leaves no child behind", async () => {
      const { process: child, exit } = await start(
        runtimeOf(),
        requestOf(shell("sleep 60 & echo $!; exit 1")),
      );
      await exit;
      expect(await isRunning(Number(await logText(child)))).toBe(false);
    });

    test("is adopted by another runtime, which then ends it and sees its end with an unknown code", async () => {
      const { process: child } = await start(runtimeOf(), requestOf(["sleep", "60"]));
      await eventually(() => isOurs(child));
      const { promise, resolve } = Promise.withResolvers<unknown>();
      const heir = runtimeOf();
      expect(heir.adopt(child, resolve)).toBe(true);
      heir.terminate(child);
      expect(await promise).toEqual({ kind: "unknown" });
      heir.close();
    });

    test("is found by its nonce when its launch was not recorded", async () => {
      const runtime = runtimeOf();
      const request = requestOf(["sleep", "60"], { needsPort: true });
      const { process: child } = await start(runtime, request);
      await eventually(async () => (await Bun.file(`/proc/${child.pid}/cmdline`).text()).startsWith("/"));
      expect(runtime.find(request)).toMatchObject({ pid: child.pid, port: child.port, nonce: child.nonce });
      expect(runtime.find({ ...request, nonce: "another" })).toBeUndefined();
    });

    test("of which any mark differs is not ours: not adopted and never signalled", async () => {
      const runtime = runtimeOf();
      const { process: child } = await start(runtime, requestOf(["sleep", "60"]));
      await eventually(() => isOurs(child));
      for (const mark of [{ startTime: "1" }, { bootId: "another" }, {}]) {
        expect(isOurs({ ...child, ...mark })).toBe(Object.keys(mark).length === 0);
        const stranger = { ...child, ...mark, nonce: "another", cgroups: [] };
        expect(runtime.adopt(stranger, () => {})).toBe(false);
        runtime.terminate(stranger);
        runtime.kill(stranger);
      }
      expect(await isRunning(child.pid)).toBe(true);
    });

    test("reports the CPU it used", async () => {
      const runtime = runtimeOf();
      const { process: child } = await start(runtime, requestOf(shell("while :; do :; done")));
      expect(await eventually(() => (runtime.cpuSeconds(child) ?? 0) > 0.02)).toBe(true);
    });
  });
}

describe.if(HAS_CGROUPS)("limits", () => {
  test("on memory end a process that needs more, and the end says so", async () => {
    const request = requestOf(shell("head -c 200000000 /dev/zero | tail"), {
      limits: { memoryBytes: 30_000_000 },
    });
    const { exit } = await start(testRuntime(), request);
    expect(await exit).toMatchObject({ outOfMemory: true });
  });

  test("hold from the first instruction, for children too", async () => {
    const request = requestOf(shell("cat /proc/self/cgroup"), { limits: { cpu: 0.5, pidsMax: 64 } });
    const { process: child, exit } = await start(testRuntime(), request);
    await exit;
    const groups = (await logText(child))
      .split("\n")
      .filter((line) => line.includes(`tenfold/test-${process.pid}`));
    expect(groups.length).toBe(child.cgroups.length);
  });

  test("groups are gone when the process is", async () => {
    const { process: child, exit } = await start(testRuntime(), requestOf(shell("exit 0")));
    await exit;
    expect(child.cgroups.filter((folder) => existsSync(folder))).toEqual([]);
  });
});

describe("a launch that cannot work says what to mend", () => {
  const folder = temporaryFolder();
  writeFileSync(join(folder, "plain.txt"), "text", { mode: 0o644 });
  const cases: [name: string, command: string[], cwd: string, reason: string, mend: string][] = [
    ["a program that is not in PATH", ["no-such-program"], "/", "command-not-found", "install it"],
    ["a path that does not exist", ["./missing.sh"], folder, "command-not-found", "mend the command"],
    ["a file that is not executable", ["./plain.txt"], folder, "command-not-executable", "chmod +x"],
    ["a folder as command", ["./"], folder, "command-not-executable", "name a program"],
    ["a missing folder", ["sh"], "/no/such/folder", "cwd-missing", "mend the service's cwd"],
  ];
  for (const [name, command, cwd, reason, mend] of cases) {
    test(name, async () => {
      const result = await testRuntime([]).launch(requestOf(command, { cwd }), () => {});
      if (result.kind !== "failed") throw new Error("must fail");
      expect([result.reason, result.message]).toEqual([reason, expect.stringContaining(mend)] as never);
    });
  }
});

test("ports are handed out in turn and never one that is in use", async () => {
  const runtime = testRuntime([]);
  const first = await start(runtime, requestOf(["sleep", "60"], { needsPort: true }));
  const second = await start(runtime, requestOf(["sleep", "60"], { needsPort: true }));
  expect(second.process.port).not.toBe(first.process.port);
});
