/** The product as a user runs it: `tenfold up --detach` on a config, its commands, and its admin API. */
import { execFile } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { installExample } from "../../examples/links/testing.ts";
import type { ControllerFile, ServiceStatus, Status } from "../../src/app/api.ts";
import { freePort, until } from "./wait.ts";

const run = promisify(execFile);
const CLI = join(import.meta.dirname, "../../src/cli/main.ts");

/** The app that the benches deploy, in the installation's folder: the example that comes with the product. */
export const EXAMPLE = "example/server.js";

/** Deploys and drains of a few tasks end well within this. */
const COMMAND_DEADLINE_MS = 120_000;
const READY_DEADLINE_MS = 30_000;

/** What a bench may set; everything else is the product's default. */
export interface DeploymentOptions {
  readonly folder: string;
  /** The service called "app". */
  readonly service: Readonly<Record<string, unknown>>;
  readonly workers?: number;
}

/** One running installation in a folder of its own. */
export class Deployment {
  readonly port: number;
  readonly #folder: string;
  readonly #config: Record<string, unknown>;

  private constructor(folder: string, port: number, config: Record<string, unknown>) {
    this.#folder = folder;
    this.port = port;
    this.#config = config;
  }

  /** Brings the installation up; resolves when every task is healthy. */
  static async up({ folder, service, workers = 1 }: DeploymentOptions): Promise<Deployment> {
    const [port, adminPort, storePort] = [freePort(), freePort(), freePort()];
    await installExample(join(folder, dirname(EXAMPLE)));
    const deployment = new Deployment(folder, port, {
      admin: { address: `127.0.0.1:${adminPort}` },
      gateway: { workers },
      listeners: { web: { address: `127.0.0.1:${port}`, protocol: "http", rules: [{ forward: "app" }] } },
      services: { app: service },
      stores: { shared: { url: "embedded:", address: `127.0.0.1:${storePort}` } },
    });
    deployment.writeConfig({});
    await deployment.start();
    return deployment;
  }

  /** Starts the controller, or adopts what runs when there is something. */
  async start(): Promise<void> {
    await this.command("up", "-c", this.#configPath, "--detach");
    await until("every task to be healthy", READY_DEADLINE_MS, async () => {
      const { wanted, healthy, state } = await this.service();
      return healthy >= wanted && state === "steady";
    });
  }

  /** Writes the config with some top-level keys replaced. */
  writeConfig(changes: Readonly<Record<string, unknown>>): void {
    writeFileSync(this.#configPath, JSON.stringify({ ...this.#config, ...changes }, null, 2));
  }

  /** Runs one command of the CLI; rejects with its output when it does not exit with 0. */
  async command(name: string, ...args: string[]): Promise<string> {
    const argv = [CLI, name, ...args, "--state", this.#stateFolder];
    const { stdout } = await run(process.execPath, argv, { timeout: COMMAND_DEADLINE_MS, cwd: this.#folder });
    return stdout;
  }

  /** What runs, from the admin API. */
  async status(): Promise<Status> {
    const token = readFileSync(join(this.#stateFolder, "admin.token"), "utf8").trim();
    const headers = { authorization: `Bearer ${token}` };
    const response = await fetch(`http://${this.controller().admin}/v1/status`, { headers });
    if (!response.ok) throw new Error(`status: ${response.status} ${await response.text()}`);
    const status: Status = JSON.parse(await response.text());
    return status;
  }

  /** The service called "app". */
  async service(): Promise<ServiceStatus> {
    const { services } = await this.status();
    return services.find(({ name }) => name === "app")!;
  }

  /** Pids of the tasks, the store's too, and of the gateway's workers, in order. */
  async pids(): Promise<number[]> {
    const { services, gateway } = await this.status();
    const tasks = services.flatMap((service) => service.tasks.map(({ pid }) => pid ?? 0));
    return [...tasks, ...gateway.workers.map(({ pid }) => pid)].toSorted((a, b) => a - b);
  }

  /** The running controller. */
  controller(): ControllerFile {
    const file: ControllerFile = JSON.parse(readFileSync(join(this.#stateFolder, "controller.json"), "utf8"));
    return file;
  }

  /** Stops everything that was started. */
  async down(): Promise<void> {
    await this.command("down");
  }

  get #configPath(): string {
    return join(this.#folder, "tenfold.config.json");
  }

  get #stateFolder(): string {
    return join(this.#folder, "state");
  }
}

/** Runs `body` with an installation and brings it down whichever way that ends. */
export async function withDeployment(
  options: DeploymentOptions,
  body: (deployment: Deployment) => Promise<void>,
): Promise<void> {
  const deployment = await Deployment.up(options);
  try {
    await body(deployment);
  } finally {
    await deployment.down();
  }
}

/** Requests that use the example as its page does: mostly reads, a write now and then. */
export function exampleRequest(index: number): string {
  const host = "Host: localhost\r\n";
  if (index % 100 !== 0) return `GET ${index % 2 === 0 ? "/api/links" : "/healthz"} HTTP/1.1\r\n${host}\r\n`;
  const body = JSON.stringify({ url: "https://example.com/" });
  return `POST /api/links HTTP/1.1\r\n${host}Content-Length: ${body.length}\r\n\r\n${body}`;
}
