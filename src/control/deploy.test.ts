import { describe, expect, test } from "bun:test";
import { breakerThreshold, noRoom } from "./deploy.ts";
import { templateHash, templateOf } from "./revision.ts";
import {
  beginDeploy,
  createService,
  needsDeploy,
  pruneRevisions,
  stepDeploy,
  withConfig,
} from "./service.ts";
import { serviceConfig } from "./testing/builders.ts";

describe("the circuit breaker of a deploy", () => {
  const vectors: [wanted: number, threshold: number][] = [
    [1, 3],
    [25, 13],
    [400, 200],
    [800, 200],
  ];
  for (const [wanted, threshold] of vectors) {
    test(`opens after ${threshold} failures for ${wanted} tasks`, () => {
      expect(breakerThreshold(wanted)).toBe(threshold);
    });
  }
});

describe("percentages that leave no room", () => {
  test("are refused with the percentage that would do", () => {
    const deploy = { minHealthyPercent: 100, maxPercent: 125, rollback: true };
    expect(noRoom("web", 3, deploy)).toContain("set deploy.maxPercent to 134 or more");
    expect(noRoom("web", 4, deploy)).toBeUndefined();
  });

  test("round the minimum up and the maximum down: 75 % of 2 may stop none", () => {
    expect(noRoom("web", 2, { minHealthyPercent: 75, maxPercent: 100, rollback: true })).toBeDefined();
    expect(noRoom("web", 4, { minHealthyPercent: 50, maxPercent: 100, rollback: true })).toBeUndefined();
  });
});

describe("a revision", () => {
  test("is the same whatever the order of keys, and another for another command", () => {
    const a = templateOf(serviceConfig({ env: { A: "1", B: "2" } }));
    const b = templateOf(serviceConfig({ env: { B: "2", A: "1" } }));
    expect(templateHash(a)).toBe(templateHash(b));
    expect(templateHash({ ...a, command: ["node", "other.js"] })).not.toBe(templateHash(a));
  });

  test("is not changed by settings that apply live", () => {
    const service = createService(serviceConfig());
    expect(needsDeploy(withConfig(service, serviceConfig({ drainTimeoutMs: 1 })))).toBe(false);
    expect(needsDeploy(withConfig(service, serviceConfig({ env: { A: "2" } })))).toBe(true);
  });

  test("is a new one for each deploy, of an unchanged config too", () => {
    const service = createService(serviceConfig());
    expect(beginDeploy(service, "requested", 0).deploy?.to).not.toBe(service.current);
  });
});

describe("the end of a deploy", () => {
  const begun = beginDeploy(createService(serviceConfig()), "requested", 0);

  test("that succeeds makes the new revision current and forgets the old one", () => {
    const done = stepDeploy(begun, { kind: "succeed" }, 5);
    expect(done.current).toBe(begun.deploy?.to ?? "");
    expect(Object.keys(pruneRevisions(done, new Set()).revisions)).toEqual([done.current]);
  });

  test("that fails keeps the old one current, and is not tried again by itself", () => {
    const failed = stepDeploy(begun, { kind: "fail", message: "x" }, 5);
    expect([failed.current, failed.deploy?.status, needsDeploy(failed)]).toEqual([
      begun.current,
      "rolling-back",
      false,
    ]);
    expect(stepDeploy(failed, { kind: "rolled-back" }, 9).deploy).toMatchObject({
      status: "rolled-back",
      endedMs: 9,
    });
  });

  test("that fails with rollback off stays where it is", () => {
    const config = serviceConfig({ deploy: { minHealthyPercent: 100, maxPercent: 200, rollback: false } });
    const failed = stepDeploy(
      beginDeploy(createService(config), "requested", 0),
      { kind: "fail", message: "x" },
      5,
    );
    expect(failed.deploy?.status).toBe("failed");
  });
});
