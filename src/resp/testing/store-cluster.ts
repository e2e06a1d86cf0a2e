/** A real Redis Cluster for tests and benches: redis-server processes of Debian, joined by redis-cli. */
import { freePort } from "../../base/testing.ts";
import { startRedis, type TestStore } from "./store-servers.ts";

/** A cluster that a test starts, breaks and heals. */
export interface TestCluster {
  /** `redis-cluster://` with the address of each node. */
  readonly url: string;
  /** Primaries first, then their replicas, as they were at the start. */
  readonly nodes: readonly TestStore[];
  /** Runs redis-cli against a node (the first, unless told otherwise), and gives what it printed. */
  readonly cli: (words: readonly string[], port?: number) => string;
  /** The node that is primary of a slot now, by the word of `port`. */
  readonly primaryOf: (slot: number, port?: number) => TestStore;
  /** The cluster's id of a node. */
  readonly idOf: (node: TestStore) => string;
  readonly stop: () => Promise<void>;
}

/** What a cluster is made of. */
export interface TestClusterOptions {
  /** Default 3. */
  readonly primaries?: number;
  /** Of each primary; default 1. */
  readonly replicas?: number;
  /** After so long without an answer a node counts as failed, ms; default 1000. */
  readonly nodeTimeoutMs?: number;
  readonly options?: readonly string[];
  /** Put before each server's command (taskset). */
  readonly prefix?: readonly string[];
}

const READY_MS = 30_000;

/** Starts a cluster, and waits until each node knows all slots and each replica has its primary's data. */
export async function startRedisCluster({
  primaries = 3,
  replicas = 1,
  nodeTimeoutMs = 1000,
  options = [],
  prefix = [],
}: TestClusterOptions = {}): Promise<TestCluster> {
  const buses = Array.from({ length: primaries * (1 + replicas) }, () => freePort());
  const nodes = await Promise.all(
    buses.map((bus) => {
      const own = `--cluster-enabled yes --cluster-port ${bus} --cluster-node-timeout ${nodeTimeoutMs}`.split(
        " ",
      );
      return startRedis([...own, "--repl-diskless-sync-delay", "0", ...options], prefix);
    }),
  );
  const cli = (words: readonly string[], port = nodes[0]?.port ?? 0): string => {
    const { stdout, stderr, exitCode } = Bun.spawnSync(["redis-cli", "-p", String(port), ...words]);
    if (exitCode !== 0)
      throw new Error(`redis-cli ${words.join(" ")}: ${stdout.toString()} ${stderr.toString()}`);
    return stdout.toString();
  };
  const addresses = nodes.map(({ port }, at) => `127.0.0.1:${port}@${buses[at]}`);
  cli(["--cluster", "create", ...addresses, "--cluster-replicas", String(replicas), "--cluster-yes"]);
  const nodeAt = (address: string | undefined): TestStore => {
    const found = nodes.find(({ port }) => String(port) === address?.split(":").at(-1));
    if (found === undefined) throw new Error(`${address} is no node of the cluster`);
    return found;
  };
  await until(() =>
    nodes.every(
      ({ port }) =>
        cli(["CLUSTER", "INFO"], port).includes("cluster_state:ok") &&
        !cli(["INFO", "replication"], port).includes("master_link_status:down"),
    ),
  );
  return {
    url: `redis-cluster://${nodes.map(({ port }) => `127.0.0.1:${port}`).join(",")}`,
    nodes,
    cli,
    primaryOf: (slot, port) => nodeAt(primaryOfSlot(cli(["CLUSTER", "NODES"], port), slot)),
    idOf: ({ port }) => cli(["CLUSTER", "MYID"], port).trim(),
    stop: async () => {
      await Promise.all(nodes.map((node) => node.stop()));
    },
  };
}

/** The address of a slot's primary, which keeps it while it is failed and no other is promoted, in the text of CLUSTER NODES: "id ip:port@bus flags … ranges". */
function primaryOfSlot(text: string, slot: number): string | undefined {
  for (const line of text.trim().split("\n")) {
    const [, address = "", flags = "", , , , , , ...ranges] = line.split(" ");
    if (!flags.includes("master")) continue;
    const has = ranges.some((range) => {
      const [from, to = from] = range.split("-").map(Number);
      return from !== undefined && to !== undefined && from <= slot && slot <= to;
    });
    if (has) return address.split("@")[0];
  }
  return undefined;
}

async function until(holds: () => boolean): Promise<void> {
  const endMs = performance.now() + READY_MS;
  while (!holds()) {
    if (performance.now() > endMs) throw new Error("the cluster was not ready within 30 s");
    await Bun.sleep(50);
  }
}
