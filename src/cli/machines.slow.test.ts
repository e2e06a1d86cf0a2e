/** A cluster whose servers are on three machines (network namespaces here), its lease in etcd: replication, failover, who gets in. */
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { copyFileSync, mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { Client } from "pg";
import { hasOpenssl, makeAuthority, makeCertificate } from "../base/testing/certificates.ts";
import { hasDebianPostgres } from "../base/testing/postgres.ts";
import { freePort } from "../base/testing.ts";
import type { AgentFacts } from "../database/index.ts";
import { until } from "../database/testing/servers.ts";
import { PgConnection } from "../pgwire/io/index.ts";
import { type Machine, MachineSite, NO_MACHINES } from "./testing/machine-site.ts";

setDefaultTimeout(120_000);

const canRun = NO_MACHINES === undefined && hasDebianPostgres && hasOpenssl;
if (!canRun)
  console.log(
    `skipped: clusters of several machines (${NO_MACHINES ?? "no Debian Postgres, or no openssl"})`,
  );

/** Rows that a client writes one after the other from 10,000 on, and what became of them. */
class Writes {
  readonly acknowledged: number[] = [];
  readonly errors: string[] = [];
  readonly #done: Promise<void>;
  #isOver = false;

  constructor(url: string) {
    this.#done = this.#run(url);
  }

  async stop(): Promise<void> {
    this.#isOver = true;
    await this.#done;
  }

  async #run(url: string): Promise<void> {
    let client: Client | undefined;
    for (let id = 10_000; !this.#isOver; id++) {
      try {
        client ??= await connected(url);
        await client.query("insert into kept values ($1)", [id]);
        this.acknowledged.push(id);
      } catch (problem) {
        this.errors.push(String(problem));
        client = undefined;
      }
    }
    await client?.end();
  }
}

async function connected(connectionString: string): Promise<Client> {
  const client = new Client({ connectionString });
  client.on("error", () => {}); // its query tells
  await client.connect();
  return client;
}

describe.skipIf(!canRun)("a cluster of three machines (needs ip netns, etcd, Debian's Postgres)", () => {
  const names = ["db1", "db2", "db3"] as const;
  let site: MachineSite;
  let all: Record<(typeof names)[number], Machine>;
  let serve: (name: (typeof names)[number], ...more: string[]) => Promise<unknown>;

  const members = (): string => names.map((name) => `${name}=${all[name].address}:5432`).join(",");

  beforeAll(async () => {
    site = new MachineSite(names);
    const [db1, db2, db3] = site.machines as [Machine, Machine, Machine];
    all = { db1, db2, db3 };
    const authority = makeAuthority(site.folder);
    for (const { name, address } of [db1, db2, db3])
      makeCertificate(site.folder, name, authority, `IP:${address}`);
    const store = await site.etcd();
    const cluster = ["--members", members(), "--store", store, "--mode", "quorum"];
    serve = (name, ...more) => {
      const at = (file: string): string => join(site.folder, file);
      const tls = ["--tls-cert", at(`${name}.pem`), "--tls-key", at(`${name}.key`), "--tls-ca", at("ca.pem")];
      const words = ["db", "serve", name, ...cluster, ...tls, "--postgres", "/usr/lib/postgresql/15"];
      return site.serve(all[name], `database ${name} at`, [
        ...words,
        "--allow",
        `${site.address}/32`,
        ...more,
      ]);
    };
    await serve("db1", "--new");
  });
  afterAll(() => site?.remove());

  const folderOf = (machine: Machine): string => join(machine.folder, ".tenfold/database");
  const passwordOf = (): string =>
    (JSON.parse(readFileSync(join(folderOf(all.db1), "cluster.json"), "utf8")) as { superuser: string })
      .superuser;

  /** What a machine says of all servers. */
  async function statusAt(machine: Machine): Promise<readonly AgentFacts[]> {
    const { text } = await site.tenfold(machine, "db", "status", "--json");
    return JSON.parse(text) as AgentFacts[];
  }
  async function rolesAt(machine: Machine): Promise<string> {
    const facts = await statusAt(machine);
    return facts.map(({ name, view, state }) => `${name} ${view?.role ?? state}`).join(", ");
  }
  async function query(
    machine: Machine,
    sql: string,
  ): Promise<readonly Readonly<Record<string, string | null>>[]> {
    const connection = await PgConnection.connect({
      host: machine.address,
      port: 5432,
      user: "postgres",
      password: passwordOf(),
      tls: { mode: "verify-full", ca: join(site.folder, "ca.pem") },
    });
    try {
      return await connection.rows(sql);
    } finally {
      connection.close();
    }
  }
  /** A router that follows the lease, beside the machines; its URL. */
  async function router(): Promise<string> {
    const port = freePort();
    const tls = ["--server-tls", "verify-full", "--server-ca", join(site.folder, "ca.pem")];
    const words = ["router", "--members", members(), "--store", `etcd://${site.address}:2379`, ...tls];
    await site.serve(undefined, "router at", [...words, "--listen", `127.0.0.1:${port}`], {
      PGPASSWORD: passwordOf(),
    });
    return `postgres://postgres:${passwordOf()}@127.0.0.1:${port}/postgres`;
  }

  const streaming =
    "select count(*) as n from pg_stat_replication join pg_stat_ssl using (pid) where ssl and state = 'streaming'";

  test("a machine without the cluster's passwords is told which file it lacks", async () => {
    expect(await serve("db2").catch(String)).toContain(
      "copy cluster.json from the folder of the cluster's first server",
    );
  });

  test("each replica is cloned over the network, and streams by TLS", async () => {
    for (const name of ["db2", "db3"] as const) {
      mkdirSync(folderOf(all[name]), { recursive: true });
      copyFileSync(join(folderOf(all.db1), "cluster.json"), join(folderOf(all[name]), "cluster.json"));
      await serve(name);
    }
    await until("both stream", async () => (await query(all.db1, streaming))[0]?.["n"] === "2", 60_000);
    for (const name of names) expect(await rolesAt(all[name])).toBe("db1 primary, db2 replica, db3 replica");
  });

  test("nobody else gets in: not as a client, not as a replica, not at an agent", async () => {
    const connect = (machine: Machine | undefined, user: string, database: string): Promise<string> =>
      site
        .run(machine, [
          "psql",
          `host=${all.db1.address} user=${user} password=${passwordOf()} dbname=${database} sslmode=require`,
          "-c",
          "select 1",
        ])
        .then(
          ({ text }) => /no pg_hba.conf entry|password authentication failed|1 row/.exec(text)?.[0] ?? text,
        );
    expect(await connect(all.db2, "postgres", "postgres")).toBe("1 row");
    expect(await connect(all.db2, "app", "postgres")).toBe("no pg_hba.conf entry");
    expect(await connect(all.db2, "postgres", "template1")).toBe("no pg_hba.conf entry");
    expect(await connect(undefined, "app", "postgres")).toBe("password authentication failed"); // --allow lets it try
    const clear = `host=${all.db1.address} user=postgres password=${passwordOf()} sslmode=disable`;
    expect((await site.run(all.db2, ["psql", clear, "-c", "select 1"])).text).toContain(
      "no pg_hba.conf entry",
    );

    const facts = `${all.db1.address}:15432/facts`;
    const refusal = (url: string, tls?: object): Promise<string> =>
      fetch(url, tls === undefined ? {} : { tls }).then(
        ({ status }) => String(status),
        () => "no connection",
      );
    const ca = readFileSync(join(site.folder, "ca.pem"), "utf8");
    expect(await refusal(`http://${facts}`)).toBe("no connection");
    expect(await refusal(`https://${facts}`, { ca })).toBe("no connection");
    const [cert, key] = ["db2.pem", "db2.key"].map((file) => readFileSync(join(site.folder, file), "utf8"));
    expect(await refusal(`https://${facts}`, { ca, cert, key })).toBe("401"); // and a certificate is not a token
  });

  test("a primary whose network is cut off is replaced, nothing acknowledged is lost, and it comes back as a replica", async () => {
    await query(all.db1, "create table kept (id int primary key)");
    await query(all.db1, "insert into kept select generate_series(1, 1000)");
    const writes = new Writes(await router());
    await until("writes are acknowledged", async () => writes.acknowledged.length > 20);
    site.cut(all.db1, true);
    let primary: Machine | undefined;
    await until(
      "another one is primary",
      async () => {
        const facts = await statusAt(all.db2);
        const found = facts.find(
          ({ view, failover }) => view?.role === "primary" && failover?.role === "leader",
        );
        primary = names.map((name) => all[name]).find(({ name }) => name === found?.name && name !== "db1");
        return primary !== undefined;
      },
      60_000,
    );
    if (primary === undefined) throw new Error("there is no primary");
    const before = writes.acknowledged.length;
    await until(
      "writes are acknowledged again",
      async () => writes.acknowledged.length > before + 20,
      60_000,
    );
    await writes.stop();
    const kept = new Set((await query(primary, "select id from kept")).map(({ id }) => Number(id)));
    expect([kept.size >= 1000, writes.acknowledged.filter((id) => !kept.has(id))]).toEqual([true, []]);
    // The one that was under way when the cable was pulled: nobody knows what became of it.
    expect(writes.errors.slice(1)).toEqual([]);
    // On its own side it is no primary either: it was fenced when its lease was over.
    expect(await rolesAt(all.db1)).not.toContain("db1 primary");
    site.cut(all.db1, false);
    await until("it is back", async () => (await rolesAt(all.db2)).includes("db1 replica"), 60_000);
    await until(
      "both stream",
      async () => (await query(primary as Machine, streaming))[0]?.["n"] === "2",
      60_000,
    );
  });

  test("a router that follows the lease reads from replicas, writes to the primary, after a failover", async () => {
    const client = await connected(await router());
    const isReplica = async (sql: string): Promise<unknown> =>
      Object.values((await client.query<Record<string, unknown>>(sql)).rows[0] ?? {})[0];
    await until(
      "reads go to a replica",
      async () => (await isReplica("/* tenfold: replica */ select pg_is_in_recovery()")) === true,
      60_000,
    );
    expect(await isReplica("insert into kept values (-1) returning pg_is_in_recovery()")).toBe(false);
    await client.end();
  });

  test("a switchover may be asked for on any of the machines", async () => {
    const { code, text } = await site.tenfold(all.db3, "db", "switchover", "db1");
    expect({ code, text }).toMatchObject({ code: 0, text: expect.stringContaining("db1 is primary") });
    await until("all see it", async () => (await rolesAt(all.db2)).startsWith("db1 primary"));
    const elsewhere = await site.tenfold(all.db3, "db", "reclone", "db2");
    expect(elsewhere).toMatchObject({
      code: 1,
      text: expect.stringContaining("on the server's own machine"),
    });
  });
});
