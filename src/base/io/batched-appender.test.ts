import { afterAll, describe, expect, test } from "bun:test";
import { readFileSync, renameSync } from "node:fs";
import { mkdir, readFile, rename, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { type SimulatedTime, simulatedTime } from "../simulated-time.ts";
import { BatchedAppender } from "./batched-appender.ts";
import { removeTestFolders, testFolder } from "./testing.ts";

afterAll(removeTestFolders);

interface Subject {
  readonly path: string;
  readonly appender: BatchedAppender;
  readonly time: SimulatedTime;
}

async function subject(path?: string): Promise<Subject> {
  const time = simulatedTime();
  const file = path ?? join(await testFolder(), "access.log");
  return { path: file, appender: new BatchedAppender({ path: file, scheduler: time.scheduler }), time };
}

/** Waits for what the event loop will bring, up to five seconds. */
async function until(holds: () => boolean): Promise<void> {
  const deadlineMs = performance.now() + 5000;
  while (!holds()) {
    if (performance.now() > deadlineMs) throw new Error("waited five seconds in vain");
    await new Promise((resolve) => setImmediate(resolve));
  }
}

test("lines wait for the interval and then go out together, in order", async () => {
  const { path, appender, time } = await subject();
  for (const line of ["one\n", "two\n", "drei ü\n"]) appender.append(line);
  time.advance(199);
  expect(readFileSync(path, "utf8")).toBe("");
  time.advance(1);
  await until(() => appender.stats().writtenBytes > 0);
  expect(readFileSync(path, "utf8")).toBe("one\ntwo\ndrei ü\n");
  expect(appender.stats().writtenBytes).toBe(16);
});

test("a full batch does not wait for the interval", async () => {
  const { path, appender } = await subject();
  const line = `${"x".repeat(1023)}\n`;
  for (let i = 0; i < 64; i++) appender.append(line);
  await until(() => appender.stats().writtenBytes === 65_536);
  expect(readFileSync(path, "utf8")).toBe(line.repeat(64));
});

test("lines that come during a write wait for an interval of their own", async () => {
  const { path, appender, time } = await subject();
  const line = `${"x".repeat(65_535)}\n`;
  appender.append(line);
  appender.append("later\n");
  await until(() => appender.stats().writtenBytes === 65_536);
  await new Promise((resolve) => setImmediate(resolve));
  time.advance(200);
  await until(() => appender.stats().writtenBytes > 65_536);
  expect(readFileSync(path, "utf8")).toBe(`${line}later\n`);
});

test("flush resolves when all lines taken before it are in the file", async () => {
  const { path, appender } = await subject();
  const line = `${"x".repeat(65_535)}\n`;
  for (let i = 0; i < 5; i++) appender.append(line);
  await appender.flush();
  expect((await stat(path)).size).toBe(5 * 65_536);
  await appender.flush();
});

test("an existing file is appended to", async () => {
  const { path, appender } = await subject();
  appender.append("before\n");
  await appender.close();
  const { appender: next } = await subject(path);
  next.append("after\n");
  await next.close();
  expect(await readFile(path, "utf8")).toBe("before\nafter\n");
});

test("close writes what waits; later lines are dropped and counted", async () => {
  const { path, appender } = await subject();
  appender.append("kept\n");
  const [first, second] = [appender.close(), appender.close()];
  appender.append("dropped\n");
  await Promise.all([first, second]);
  expect(await readFile(path, "utf8")).toBe("kept\n");
  expect(appender.stats().dropped).toEqual({ bufferFull: 0, writeFailed: 0, closed: 1 });
});

test("beyond 8 MiB of waiting lines the newest are dropped and counted", async () => {
  const { path, appender } = await subject();
  const line = `${"x".repeat(1024 * 1024 - 1)}\n`;
  for (let i = 0; i < 12; i++) appender.append(line);
  expect(appender.stats().dropped.bufferFull).toBe(4);
  await appender.close();
  expect((await stat(path)).size).toBe(8 * 1024 * 1024);
});

describe("reopen", () => {
  test("goes on in a new file after the old one was moved away", async () => {
    const { path, appender } = await subject();
    appender.append("old\n");
    await appender.flush();
    await rename(path, `${path}.1`);
    appender.reopen();
    appender.append("new\n");
    await appender.close();
    expect([readFileSync(`${path}.1`, "utf8"), readFileSync(path, "utf8")]).toEqual(["old\n", "new\n"]);
  });

  test("lets a write that is under way finish in the old file", async () => {
    const line = `${"x".repeat(100_000)}\n`;
    // A file closed too early fails the write only sometimes.
    for (let round = 0; round < 20; round++) {
      const { path, appender } = await subject();
      renameSync(path, `${path}.1`);
      appender.append(line);
      appender.reopen();
      appender.append("new\n");
      await appender.close();
      expect(readFileSync(`${path}.1`, "utf8")).toBe(line);
      expect(readFileSync(path, "utf8")).toBe("new\n");
    }
  });

  test("stays with the old file, and says why, when the new one cannot be opened", async () => {
    const { path, appender } = await subject();
    await rename(path, `${path}.1`);
    await mkdir(path);
    appender.reopen();
    appender.append("still here\n");
    await appender.close();
    expect(readFileSync(`${path}.1`, "utf8")).toBe("still here\n");
    expect(appender.stats().lastProblem).toContain("EISDIR");
  });
});

describe("a failed write", () => {
  test("costs its lines, which are counted, and says why", async () => {
    const { appender } = await subject("/dev/full");
    for (const line of ["one\n", "two\n"]) appender.append(line);
    await appender.close();
    expect(appender.stats().dropped.writeFailed).toBe(2);
    expect(appender.stats().lastProblem).toContain("ENOSPC");
  });

  test("does not keep later lines from a file that takes them again", async () => {
    const folder = await testFolder();
    const path = join(folder, "access.log");
    await rm(path, { force: true });
    await Bun.$`ln -s /dev/full ${path}`;
    const { appender } = await subject(path);
    appender.append("lost\n");
    await appender.flush();
    await rm(path);
    appender.reopen();
    appender.append("kept\n");
    await appender.close();
    expect(readFileSync(path, "utf8")).toBe("kept\n");
  });
});

test("a line that was torn by a full disk does not swallow the next one", async () => {
  const path = join(await testFolder(), "access.log");
  const script = `
    const { BatchedAppender } = await import(${JSON.stringify(join(import.meta.dir, "batched-appender.ts"))});
    const appender = new BatchedAppender({ path: ${JSON.stringify(path)}, scheduler: { after: () => () => {} } });
    appender.append("x".repeat(4000) + "\\n");
    await appender.flush();
    require("node:fs").truncateSync(${JSON.stringify(path)}, 3);
    appender.append("next\\n");
    await appender.close();`;
  // The shell's bound on file size (1 block) takes the first part of a write and refuses the rest.
  const shell = Bun.spawn([
    "sh",
    "-c",
    `ulimit -f 1; trap "" XFSZ; exec "$0" -e "$1"`,
    process.execPath,
    script,
  ]);
  expect(await shell.exited).toBe(0);
  expect(readFileSync(path, "utf8")).toBe("xxx\nnext\n");
});

test("a file that cannot be opened is refused at once, with the system's reason", async () => {
  const folder = await testFolder();
  expect(() => new BatchedAppender({ path: folder, scheduler: simulatedTime().scheduler })).toThrow("EISDIR");
});
