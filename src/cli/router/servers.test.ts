import { describe, expect, test } from "bun:test";
import { parseMembers } from "../database/members.ts";
import { type LeasedOptions, serversByLease } from "./servers.ts";

const failureOf = (run: () => unknown): string => {
  try {
    run();
    return "no failure";
  } catch (problem) {
    return problem instanceof Error ? problem.message : String(problem);
  }
};

describe("members of a cluster", () => {
  test("have names and addresses, each name once", () => {
    expect(parseMembers("db1=10.0.0.1:5432,db2=[fd00::2]:5433")).toEqual([
      { name: "db1", address: { host: "10.0.0.1", port: 5432 } },
      { name: "db2", address: { host: "fd00::2", port: 5433 } },
    ]);
    expect(failureOf(() => parseMembers("db1=10.0.0.1:5432,10.0.0.2"))).toContain('"10.0.0.2" is no server');
    expect(failureOf(() => parseMembers("db1=a:1,db1=b:1"))).toContain("db1 twice");
  });

  test("are routed to by the lease: nobody is primary before it is read, and clients wait as for a connection", () => {
    const asked: LeasedOptions = {
      members: "db1=10.0.0.1:5432,db2=10.0.0.2:5432",
      store: "etcd://10.0.0.3:2379",
      user: "postgres",
      password: "secret",
      pool: { queueTimeoutMs: 3000 },
    };
    const { cluster, login, lease, hasReplicas } = serversByLease(asked);
    expect(cluster).toMatchObject({ state: "no-primary", primary: undefined });
    expect(cluster.servers.map(({ name }) => name)).toEqual(["db1", "db2"]);
    expect([login.user, login.password, hasReplicas]).toEqual(["postgres", "secret", true]);
    expect(lease).toMatchObject({ store: "etcd://10.0.0.3:2379", hold: { ms: 3000 } });
    expect(failureOf(() => serversByLease({ ...asked, store: undefined }))).toContain("where the lease is");
  });
});
