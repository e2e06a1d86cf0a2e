import { describe, expect, test } from "bun:test";
import { PreparedOnServer, Statements } from "./prepared.ts";
import { REPLY, ReplyQueue } from "./reply-queue.ts";
import { NO_EFFECTS } from "./statement-effects.ts";

const use = (statements: Statements, text: string, path?: string): ReturnType<Statements["use"]> => {
  const bytes = new TextEncoder().encode(`x${text}`);
  return statements.use(bytes, 1, bytes.length, () => NO_EFFECTS, path);
};

describe("prepared statements", () => {
  test("one text is one statement, whoever prepares it", () => {
    const statements = new Statements();
    const a = use(statements, "SELECT 1\0\0\0");
    expect(use(statements, "SELECT 1\0\0\0")).toBe(a);
    expect(use(statements, "SELECT 2\0\0\0")).not.toBe(a);
    statements.release(a);
    statements.release(a);
    expect(use(statements, "SELECT 1\0\0\0")).toBe(a);
  });

  test("one text is another statement after a change of the schema, for those who prepare it then", () => {
    const statements = new Statements();
    const before = use(statements, "SELECT 1");
    statements.schemaChanged();
    const after = use(statements, "SELECT 1");
    expect(after.name).not.toEqual(before.name);
    expect(use(statements, "SELECT 1")).toBe(after);
    statements.release(before);
    statements.retain(before); // its Close was skipped
    statements.release(before);
    expect(use(statements, "SELECT 1")).toBe(after);
    expect(statements.size).toBe(1);
  });

  test("one text is a statement for each search path", () => {
    const statements = new Statements();
    const [plain, one] = [use(statements, "TABLE t"), use(statements, "TABLE t", "SET search_path TO one")];
    expect(one).not.toBe(plain);
    expect(one.body).toEqual(plain.body);
    expect(use(statements, "TABLE t", "SET search_path TO one")).toBe(one);
    expect(use(statements, "TABLE t")).toBe(plain);
    // No text reads like a path and another text.
    expect(use(statements, "\u0100a\u0100b")).not.toBe(use(statements, "b", "a"));
    expect(use(statements, "c", "a\u0100b")).not.toBe(use(statements, "b\u0100c", "a"));
  });

  test("texts that nobody uses are kept up to a bound", () => {
    const statements = new Statements();
    for (let n = 0; n < 3000; n++) statements.release(use(statements, `SELECT ${n}`));
    expect(statements.size).toBe(2000);
    const kept = use(statements, "SELECT 2999");
    for (let n = 0; n < 3000; n++) statements.release(use(statements, `SELECT -${n}`));
    expect(use(statements, "SELECT 2999")).toBe(kept);
  });

  test("a server keeps those that were used last", () => {
    const statements = new Statements();
    const [a, b, c] = ["a", "b", "c"].map((text) => use(statements, text));
    if (a === undefined || b === undefined || c === undefined) throw new Error("three");
    const server = new PreparedOnServer(2);
    expect([server.add(a), server.add(b), server.touch(a)]).toEqual([undefined, undefined, true]);
    expect(server.add(c)).toBe(b);
    expect([server.touch(b), server.touch(a), server.size]).toEqual([false, true, 2]);
    server.delete(a);
    expect([server.touch(a), server.touch(c)]).toEqual([false, true]);
    server.clear();
    expect(server.touch(c)).toBe(false);
  });
});

describe("answers that are owed", () => {
  test("come in order, with what belongs to them, however many there are", () => {
    const replies = new ReplyQueue();
    for (let round = 0; round < 3; round++) {
      for (let n = 0; n < 100; n++) replies.push((n % 14) + 1, n % 7 === 0 ? { name: String(n) } : undefined);
      for (let n = 0; n < 100; n++) {
        expect([replies.front, replies.frontDetail?.name]).toEqual([
          (n % 14) + 1,
          n % 7 === 0 ? String(n) : undefined,
        ]);
        replies.shift();
      }
    }
    expect([replies.front, replies.length]).toEqual([REPLY.none, 0]);
  });

  test("syncs that a COPY swallows are not owed, those behind its end are", () => {
    const replies = new ReplyQueue();
    for (const kind of [REPLY.execute, REPLY.sync, REPLY.sync, REPLY.query])
      replies.push(kind, { name: String(kind) });
    expect(replies.copyBegins()).toBe(false);
    expect([replies.length, replies.front, replies.frontDetail?.name]).toEqual([2, REPLY.execute, "10"]);
    replies.clear();
    replies.pushCopyEnd(); // nothing is owed: no COPY can be meant
    expect(replies.length).toBe(0);
    for (const kind of [REPLY.execute, REPLY.sync]) replies.push(kind);
    replies.pushCopyEnd();
    replies.push(REPLY.sync);
    expect(replies.copyBegins()).toBe(true);
    replies.shift();
    expect([replies.length, replies.front]).toEqual([1, REPLY.sync]);
  });

  test("the end of a COPY that there was not is not owed", () => {
    const replies = new ReplyQueue();
    replies.push(REPLY.query);
    replies.pushCopyEnd();
    replies.pushCopyEnd();
    replies.shift();
    expect([replies.length, replies.front]).toEqual([0, REPLY.none]);
  });
});
