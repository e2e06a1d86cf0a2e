import { describe, expect, test } from "bun:test";
import { exitMessage, lateMessage, notReady, taskMessage } from "./messages.ts";
import { processRef, serviceConfig } from "./testing/builders.ts";

const { health } = serviceConfig();

describe("why a task is not ready", () => {
  test("nothing to say once a check passes", () => {
    expect(notReady({ kind: "pass" }, health, 1)).toBeUndefined();
  });

  test("names the port when nothing listens on it", () => {
    const answer = notReady({ kind: "fail", reason: "connect-refused" }, health, 20_003);
    expect(lateMessage(answer!, 30_000)).toBe(
      "did not listen on PORT=20003 within 30s: make the app listen on the port in its environment variable PORT",
    );
  });

  test("names the health port when that is another one", () => {
    const answer = notReady({ kind: "fail", reason: "connect-refused" }, { ...health, port: 9000 }, 20_003);
    expect(answer?.what).toBe("did not listen on its health port 9000");
  });

  test("names path and status when the answer is wrong", () => {
    const answer = notReady(
      { kind: "fail", reason: "status", status: 404 },
      { ...health, statuses: [[200, 200]] },
      1,
    );
    expect(answer?.what).toBe("answered GET /healthz with 404 where 200 is wanted");
  });

  test("names the check and what became of it otherwise", () => {
    const answer = notReady({ kind: "fail", reason: "timeout" }, { ...health, kind: "tcp" }, 20_003);
    expect(answer?.what).toBe("failed its readiness check (a TCP connect on port 20003: timeout)");
  });
});

describe("how a task ended", () => {
  test("says code, time and the end of its log", () => {
    const message = exitMessage({ kind: "code", code: 1 }, 1234, []);
    expect(taskMessage("web/3", processRef(123), message, ["a", "b"])).toBe(
      "task web/3 (pid 123) ended with exit code 1 after 1.23s; its log ends: a | b",
    );
  });

  test("says that a taken port is mended by itself, and a memory limit by the user", () => {
    expect(exitMessage({ kind: "code", code: 1 }, 1, ["Error: listen EADDRINUSE"])).toContain(
      "gets another one",
    );
    expect(exitMessage({ kind: "signal", signal: "SIGKILL", outOfMemory: true }, 1, [])).toContain(
      "raise limits.memory",
    );
  });
});
