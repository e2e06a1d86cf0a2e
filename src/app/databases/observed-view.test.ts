import { describe, expect, test } from "bun:test";
import type { AgentFacts, ClusterView } from "../../database/index.ts";
import { unknownView } from "./follow-agents.ts";
import { observedView } from "./observed-view.ts";

/** What an agent reports of a server that runs, as far as it matters. */
function facts(name: string, role: "primary" | "replica", changes: object = {}): AgentFacts {
  const port = 7432 + Number(name.slice(2));
  return {
    name,
    state: "running",
    port,
    term: 1,
    failover: null,
    view: { role, timeline: 1 },
    ...changes,
  } as AgentFacts;
}

const BOTH = [facts("db1", "primary"), facts("db2", "replica")];

function whole(): ClusterView {
  return observedView(unknownView("main", "async"), BOTH);
}

describe("the view that agents give", () => {
  test("has a primary when one of them tells of it", () => {
    expect(whole()).toMatchObject({
      revision: 1,
      state: "steady",
      primary: "db1",
      servers: [
        { name: "db1", port: 7433, role: "primary", eligible: true },
        { name: "db2", port: 7434, role: "replica", eligible: true },
      ],
    });
  });

  test("is the same object when nothing is new", () => {
    const view = whole();
    expect(observedView(view, BOTH)).toBe(view);
  });

  test("keeps a server whose agent is being replaced", () => {
    const view = whole();
    expect(observedView(view, [facts("db2", "replica")])).toBe(view);
  });

  test("has no primary when its agent says that the server does not run", () => {
    const view = observedView(whole(), [
      facts("db1", "primary", { state: "fenced" }),
      facts("db2", "replica"),
    ]);
    expect(view).toMatchObject({ state: "no-primary", primary: undefined, revision: 2 });
  });

  test("follows the one of the later term, and reads nothing from the older one", () => {
    const both = [facts("db1", "primary"), facts("db2", "primary", { term: 2 })];
    const { primary, term, servers } = observedView(whole(), both);
    expect([primary, term, servers[0]]).toEqual([
      "db2",
      2,
      expect.objectContaining({ name: "db1", eligible: false, reason: "an older primary" }),
    ]);
  });

  test("forgets a silent primary when another one has come", () => {
    const view = observedView(whole(), [facts("db2", "primary", { term: 2 })]);
    expect(view).toMatchObject({ primary: "db2", servers: [{ name: "db2" }] });
  });

  test("believes a primary that a lease governs when it has the lease", () => {
    const promoted = (phase: string): AgentFacts =>
      facts("db2", "primary", { term: 2, failover: { role: "leader", record: { phase } } });
    expect(observedView(whole(), [promoted("promoting")]).primary).toBe("db1");
    expect(observedView(whole(), [promoted("running")]).primary).toBe("db2");
  });
});
