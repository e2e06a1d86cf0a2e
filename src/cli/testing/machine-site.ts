/**
 * Several machines on this one, for tests: network namespaces on a bridge, whose other end is "the network's own machine", where etcd runs.
 * What is started in a machine is ended with it.
 */
import { chmodSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Machines } from "../../base/testing/machines.ts";
import { MAIN } from "./app-folder.ts";

/** Why there are none here; undefined = there are. */
export const NO_MACHINES: string | undefined = whyNot();

const DEADLINE_MS = 15_000;

/** One machine. */
export interface Machine {
  readonly name: string;
  readonly address: string;
  /** What its processes work in. */
  readonly folder: string;
}

/** What a command of `tenfold` said. */
export interface Said {
  readonly code: number;
  readonly text: string;
}

export class MachineSite {
  readonly folder: string = mkdtempSync(join(tmpdir(), "tenfold-machines-"));
  /** Where this process and etcd are. */
  readonly address: string;
  readonly machines: readonly Machine[];
  readonly #network: Machines;
  readonly #started: Bun.Subprocess[] = [];

  constructor(names: readonly string[]) {
    chmodSync(this.folder, 0o755);
    this.#network = new Machines(names);
    this.address = this.#network.ownHost;
    this.machines = names.map((name) => {
      const folder = join(this.folder, name);
      mkdirSync(folder);
      return { name, address: this.#network.host(name), folder };
    });
  }

  /** Starts a program in a machine, or beside the bridge. */
  start(
    machine: Machine | undefined,
    command: readonly string[],
    env: Readonly<Record<string, string>> = {},
  ): Bun.Subprocess<"ignore", "pipe", "pipe"> {
    const within = machine === undefined ? [] : this.#network.enter(machine.name);
    const child = Bun.spawn([...within, ...command], {
      cwd: machine?.folder ?? this.folder,
      env: { ...process.env, ...env },
      stdin: "ignore",
      stdout: "pipe",
      stderr: "pipe",
    });
    if (machine === undefined) this.#started.push(child);
    return child;
  }

  /** Runs `tenfold` to its end. */
  tenfold(machine: Machine | undefined, ...words: readonly string[]): Promise<Said> {
    return this.run(machine, [process.execPath, MAIN, ...words]);
  }

  /** Runs a program to its end. */
  async run(machine: Machine | undefined, command: readonly string[]): Promise<Said> {
    const child = this.start(machine, command);
    const [out, err] = await Promise.all([child.stdout.text(), child.stderr.text()]);
    return { code: await child.exited, text: `${out}${err}` };
  }

  /** Starts `tenfold` and resolves when it has printed `word`; rejects with what it said instead. */
  async serve(
    machine: Machine | undefined,
    word: string,
    words: readonly string[],
    env: Readonly<Record<string, string>> = {},
  ): Promise<Bun.Subprocess> {
    const child = this.start(machine, [process.execPath, MAIN, ...words], env);
    const said = new TextDecoder();
    let text = "";
    for await (const bytes of child.stdout) {
      text += said.decode(bytes, { stream: true });
      if (text.includes(word)) return child;
    }
    throw new Error(`tenfold ${words.join(" ")} ended: ${text}${await child.stderr.text()}`);
  }

  /** Starts etcd; its URL is "etcd://" and its address. */
  async etcd(): Promise<string> {
    const [client, peer] = [`http://${this.address}:2379`, `http://${this.address}:2380`];
    this.start(undefined, [
      "etcd",
      `--data-dir=${join(this.folder, "etcd")}`,
      "--name=a",
      "--log-level=fatal",
      `--listen-client-urls=${client}`,
      `--advertise-client-urls=${client}`,
      `--listen-peer-urls=${peer}`,
      `--initial-advertise-peer-urls=${peer}`,
      `--initial-cluster=a=${peer}`,
    ]);
    const end = performance.now() + DEADLINE_MS;
    for (;;) {
      const isUp = await fetch(`${client}/health`).then(
        ({ ok }) => ok,
        () => false,
      );
      if (isUp) return `etcd://${this.address}:2379`;
      if (performance.now() > end) throw new Error("etcd does not come up");
      await Bun.sleep(50);
    }
  }

  /** Pulls its network cable, or puts it in again. */
  cut({ name }: Machine, isCut: boolean): void {
    if (isCut) this.#network.unplug(name);
    else this.#network.plug(name);
  }

  /** Ends all of it. */
  remove(): void {
    for (const child of this.#started) child.kill("SIGKILL");
    for (const { name } of this.machines) this.#network.kill(name);
    this.#network.remove();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

function whyNot(): string | undefined {
  return Machines.problem() ?? (Bun.which("etcd") === null ? "there is no etcd" : undefined);
}
