/** A Postgres server behind a router of several processes, and clients of it that are closed in time. */
import { Client } from "pg";
import { createLog, systemClock } from "../../base/index.ts";
import { startPostgres, type TestPostgres } from "../../base/testing/postgres.ts";
import type { ClusterView } from "../../database/index.ts";
import { type RouterOptions, type RunningRouter, runRouter } from "../run-router.ts";

/** Longest wait for what a test looks at. */
const WITHIN_MS = 20_000;

/** Waits until `holds`. */
export async function eventually(what: string, holds: () => boolean | Promise<boolean>): Promise<void> {
  const endMs = performance.now() + WITHIN_MS;
  while (!(await holds())) {
    if (performance.now() > endMs) throw new Error(`did not happen within ${WITHIN_MS} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

/** A cluster of one server. */
export function viewOf(port: number): ClusterView {
  const server = {
    name: "a",
    host: "127.0.0.1",
    port,
    role: "primary",
    timeline: 0,
    eligible: true,
  } as const;
  const about = { revision: 1, name: "main", term: 1, state: "steady", mode: "async" } as const;
  return { ...about, primary: "a", servers: [server] };
}

export class RoutedServer {
  readonly server: TestPostgres;
  readonly #clients: Client[] = [];
  #router: RunningRouter | undefined;

  private constructor(server: TestPostgres) {
    this.server = server;
  }

  /** Starts the server alone. */
  static async open(): Promise<RoutedServer> {
    return new RoutedServer(await startPostgres({ access: "host all all 127.0.0.1/32 scram-sha-256\n" }));
  }

  /** Starts a router of two processes. */
  async route(options: Partial<RouterOptions> = {}): Promise<RunningRouter> {
    this.#router = await runRouter({
      address: { host: "127.0.0.1", port: 0 },
      workers: 2,
      cluster: viewOf(this.server.port),
      authUser: { user: "postgres", password: "secret", database: "postgres" },
      drainMs: 1000,
      log: createLog({ clock: systemClock, level: "error", write: () => {} }),
      ...options,
    });
    return this.#router;
  }

  /** A client of the router. */
  async connect(database = "postgres", password = "secret"): Promise<Client> {
    const port = this.#router?.address.port ?? 0;
    const client = new Client({ host: "127.0.0.1", port, user: "postgres", password, database });
    client.on("error", () => {});
    this.#clients.push(client);
    await client.connect();
    return client;
  }

  /** Ends clients and router. */
  async end(): Promise<void> {
    await Promise.all(this.#clients.splice(0).map((each) => each.end().catch(() => {})));
    await this.#router?.stop();
  }

  close(): Promise<void> {
    return this.server.stop();
  }
}
