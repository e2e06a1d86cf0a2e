/**
 * Machines that are network namespaces of this one: each has an address, all are on one bridge, on which this process is too. What cuts them off is
 * silent, as a broken network is.
 *
 *   cut(a, b)   what a sends to b goes to a network card that is not there; one direction, and nobody else notices
 *   unplug(a)   its cable is out: nothing gets in or out, also not from this process
 *
 * Needs root and iproute2. All of it is removed at the end; what a killed run has left behind, at the next one's start.
 */
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";

/** A card that nobody has: locally administered. */
const NOBODY = "02:00:00:00:00:01";

/** Second bytes of networks of ours in 10.0.0.0/8, so that two runs on one machine do not meet. */
const NETWORKS = 128;

const PREFIX = "tenfold";

export class Machines {
  readonly #names: readonly string[];
  readonly #network = `10.${64 + (process.pid % NETWORKS)}.${(process.pid >> 7) % 256}`;
  readonly #bridge = `tf${process.pid}`;
  /** "a>b" -> how many faults want it cut. */
  readonly #cuts = new Map<string, number>();

  /** Why there are none here; undefined: there can be. */
  static problem(): string | undefined {
    if (process.getuid?.() !== 0) return "network namespaces need root";
    const missing = ["ip", "nsenter"].find((name) => Bun.which(name) === null);
    if (missing !== undefined) return `there is no ${missing} here`;
    const probe = `${PREFIX}-${process.pid}-probe`;
    const { status, stderr } = spawnSync("ip", ["netns", "add", probe], { encoding: "utf8" });
    if (status !== 0) return `ip netns does not work here: ${stderr.trim()}`;
    spawnSync("ip", ["netns", "del", probe]);
    return undefined;
  }

  /** Makes them. */
  constructor(names: readonly string[]) {
    this.#names = names;
    sweep();
    const bridge = this.#bridge;
    ip(undefined, [
      `link add ${bridge} type bridge`,
      `addr add ${this.#network}.1/24 dev ${bridge}`,
      `link set ${bridge} up`,
      ...names.map((name) => `netns add ${this.#space(name)}`),
      ...names.flatMap((name, index) => [
        `link add ${bridge}-${index} type veth peer name eth0 netns ${this.#space(name)}`,
        `link set ${bridge}-${index} master ${bridge} up`,
      ]),
    ]);
    for (const name of names)
      ip(this.#space(name), [
        "link set lo up",
        `addr add ${this.host(name)}/24 dev eth0`,
        "link set eth0 up",
      ]);
  }

  get networks(): readonly string[] {
    return [`${this.#network}.0/24`];
  }

  /** Where this process is in their network. */
  get ownHost(): string {
    return `${this.#network}.1`;
  }

  host(name: string): string {
    return `${this.#network}.${10 + this.#names.indexOf(name)}`;
  }

  /** What a command is begun with, so that it runs there. */
  enter(name: string): readonly string[] {
    return ["nsenter", `--net=/run/netns/${this.#space(name)}`, "--"];
  }

  /** Nothing gets from the first to the second of each pair, until as many calls of `mend` have taken that back. */
  cut(pairs: readonly (readonly [string, string])[]): void {
    this.#change(pairs, 1);
  }

  mend(pairs: readonly (readonly [string, string])[]): void {
    this.#change(pairs, -1);
  }

  unplug(name: string): void {
    ip(undefined, [`link set ${this.#bridge}-${this.#names.indexOf(name)} down`]);
  }

  plug(name: string): void {
    ip(undefined, [`link set ${this.#bridge}-${this.#names.indexOf(name)} up`]);
  }

  /** Mends all. */
  heal(): void {
    for (const [key, count] of this.#cuts) {
      const [from = "", to = ""] = key.split(">");
      for (let time = 0; time < count; time += 1) this.mend([[from, to]]);
    }
    for (const name of this.#names) this.plug(name);
  }

  /** As a power cut: all processes there are gone. */
  kill(name: string): void {
    const { stdout } = spawnSync("ip", ["netns", "pids", this.#space(name)], { encoding: "utf8" });
    const pids = stdout.split("\n").filter((line) => line !== "");
    if (pids.length > 0) spawnSync("kill", ["-9", ...pids]);
  }

  /** Removes them; what runs there must have ended. */
  remove(): void {
    for (const name of this.#names) ip(undefined, [`netns del ${this.#space(name)}`]);
    ip(undefined, [`link del ${this.#bridge}`]);
  }

  #space(name: string): string {
    return `${PREFIX}-${process.pid}-${name}`;
  }

  #change(pairs: readonly (readonly [string, string])[], by: 1 | -1): void {
    const orders = new Map<string, string[]>();
    for (const [from, to] of pairs) {
      if (from === to) continue;
      const key = `${from}>${to}`;
      const before = this.#cuts.get(key) ?? 0;
      this.#cuts.set(key, before + by);
      const entry = `${this.host(to)} dev eth0`;
      const order = by === 1 ? `neigh replace ${entry} lladdr ${NOBODY} nud permanent` : `neigh del ${entry}`;
      if (before + by === (by === 1 ? 1 : 0)) orders.set(from, [...(orders.get(from) ?? []), order]);
    }
    for (const [from, lines] of orders) ip(this.#space(from), lines);
  }
}

/** Runs commands of `ip`, in a namespace if one is named; throws what `ip` says against them. */
function ip(space: string | undefined, lines: readonly string[]): void {
  const within = space === undefined ? [] : ["-n", space];
  const input = `${lines.join("\n")}\n`;
  const { status, stderr } = spawnSync("ip", [...within, "-batch", "-"], { input, encoding: "utf8" });
  if (status !== 0) throw new Error(`ip ${lines.join("; ")}: ${stderr}`);
}

/** Removes namespaces and bridges of runs that are gone. */
function sweep(): void {
  const { stdout } = spawnSync("ip", ["netns", "list"], { encoding: "utf8" });
  const left = [...stdout.matchAll(new RegExp(`^(${PREFIX}-(\\d+)-\\S+)`, "gm"))].filter(
    ([, , pid]) => !existsSync(`/proc/${pid}`),
  );
  for (const [, space] of left) spawnSync("ip", ["netns", "del", space ?? ""]);
  for (const run of new Set(left.map(([, , pid]) => pid))) spawnSync("ip", ["link", "del", `tf${run}`]);
}
