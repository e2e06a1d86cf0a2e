/**
 * Several machines on this one, for tests: network namespaces on a bridge, whose other end is "the network's own machine", where etcd runs.
 * What is started in a machine is ended with it.
 */
import { spawnSync } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { MAIN } from "./app-folder.ts";

/** Why there are none here; undefined = there are. */
export const NO_MACHINES: string | undefined = whyNot();

/** Addresses are 10.213.NET.x; tests of other processes have other networks. */
const NET = process.pid % 250;
const OWN = 254;

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

export class Machines {
  readonly folder: string = mkdtempSync(join(tmpdir(), "tenfold-machines-"));
  readonly address: string = `10.213.${NET}.${OWN}`;
  readonly #bridge = `tfb${process.pid}`;
  readonly #made: Machine[] = [];
  readonly #own: Bun.Subprocess[] = [];

  constructor() {
    chmodSync(this.folder, 0o755);
    ip("link", "add", this.#bridge, "type", "bridge");
    ip("addr", "add", `${this.address}/24`, "dev", this.#bridge);
    ip("link", "set", this.#bridge, "up");
  }

  /** Makes one, with loopback and one network card. */
  add(name: string): Machine {
    const number = this.#made.length + 1;
    const machine = { name, address: `10.213.${NET}.${number}`, folder: join(this.folder, name) };
    const [namespace, link] = [this.#namespace(machine), this.#link(machine)];
    mkdirSync(machine.folder);
    ip("netns", "add", namespace);
    this.#made.push(machine);
    ip("link", "add", link, "type", "veth", "peer", "name", "eth0", "netns", namespace);
    ip("link", "set", link, "master", this.#bridge, "up");
    ip("-n", namespace, "addr", "add", `${machine.address}/24`, "dev", "eth0");
    for (const device of ["lo", "eth0"]) ip("-n", namespace, "link", "set", device, "up");
    return machine;
  }

  /** Starts a program in a machine, or beside the bridge. */
  start(
    machine: Machine | undefined,
    command: readonly string[],
    env: Readonly<Record<string, string>> = {},
  ): Bun.Subprocess<"ignore", "pipe", "pipe"> {
    const within = machine === undefined ? [] : ["ip", "netns", "exec", this.#namespace(machine)];
    const child = Bun.spawn([...within, ...command], {
      cwd: machine?.folder ?? this.folder,
      env: { ...process.env, ...env },
      stdin: "ignore",
      stdout: "pipe",
      stderr: "pipe",
    });
    if (machine === undefined) this.#own.push(child);
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
  cut(machine: Machine, isCut: boolean): void {
    ip("link", "set", this.#link(machine), isCut ? "down" : "up");
  }

  /** As a power cut: all its processes are gone. */
  kill(machine: Machine): void {
    const { stdout } = spawnSync("ip", ["netns", "pids", this.#namespace(machine)], { encoding: "utf8" });
    for (const pid of stdout.split("\n").map(Number)) if (pid > 0) kill(pid);
  }

  /** Ends all of it. */
  remove(): void {
    for (const child of this.#own) child.kill("SIGKILL");
    for (const machine of this.#made) {
      this.kill(machine);
      spawnSync("ip", ["link", "del", this.#link(machine)]); // the namespace itself lives as long as the last process
      spawnSync("ip", ["netns", "del", this.#namespace(machine)]);
    }
    spawnSync("ip", ["link", "del", this.#bridge]);
    rmSync(this.folder, { recursive: true, force: true });
  }

  #namespace({ name }: Machine): string {
    return `tf${process.pid}-${name}`;
  }

  /** The bridge's end of its cable; the kernel takes 15 characters. */
  #link({ address }: Machine): string {
    return `tfv${process.pid}${address.split(".").at(-1)}`;
  }
}

function ip(...words: readonly string[]): void {
  const { status, stderr } = spawnSync("ip", words, { encoding: "utf8" });
  if (status !== 0) throw new Error(`ip ${words.join(" ")}: ${stderr}`);
}

function kill(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // It has ended by itself.
  }
}

function whyNot(): string | undefined {
  const name = `tf${process.pid}-probe`;
  const { status, stderr } = spawnSync("ip", ["netns", "add", name], { encoding: "utf8" });
  if (status !== 0) return `ip netns does not work here: ${stderr?.trim() ?? "there is no ip"}`;
  spawnSync("ip", ["netns", "del", name]);
  return spawnSync("etcd", ["--version"]).status === 0 ? undefined : "there is no etcd";
}
