/**
 * What must hold in every simulation.
 *
 * While it runs: no two servers are primaries with agents that are awake. At its end: acknowledgements went from term to term
 * and never back; in quorum mode every acknowledged write is there and what clients saw is linearizable; in async mode what is
 * missing was reported; the cluster is well again, all servers have one history.
 */
import { checkLinearizableAppends, checkListAppend } from "../../testing/histories/index.ts";
import type { FailoverSettings } from "../settings.ts";
import type { Report } from "../state.ts";
import type { AgentModel } from "./agent-model.ts";
import type { Clients } from "./clients.ts";
import { commonPrefix } from "./log-model.ts";
import type { World } from "./world.ts";

const LOOK_MS = 20;

/** A kill takes this long; so does noticing, for an agent that has just been woken. */
const FENCE_MS = 150;

/** A log that lies there for so long has been looked at. */
const READABLE_MS = 3_000;

export class Invariants {
  readonly #world: World;
  readonly #agents: ReadonlyMap<string, AgentModel>;
  readonly #settings: FailoverSettings;
  readonly #losses: { readonly bytes: number; readonly exact: boolean }[] = [];
  readonly #sharesDisks: boolean;
  #wasUnprotected = false;
  /** The last that ran. */
  #ran = "s1";

  constructor(
    world: World,
    agents: ReadonlyMap<string, AgentModel>,
    cluster: { readonly settings: FailoverSettings; readonly sharesDisks: boolean },
  ) {
    this.#world = world;
    this.#agents = agents;
    this.#settings = cluster.settings;
    this.#sharesDisks = cluster.sharesDisks;
    this.#look();
  }

  reported(server: string, report: Report): void {
    if (report.kind === "running") this.#ran = server;
    if (report.kind !== "taken") return;
    this.#losses.push(report.loss);
    const old = this.#world.server(this.#ran);
    const isReadable = this.#sharesDisks && !old.running && this.#world.nowMs > old.diedMs + READABLE_MS;
    const isLossy = report.loss.bytes > 0 || !report.loss.exact;
    if (isReadable && isLossy && old.lsn > report.fork)
      this.#world.violate(
        "not drained",
        `${this.#ran} had ${old.lsn - report.fork} bytes more than ${server}`,
      );
  }

  #look(): void {
    const world = this.#world;
    const { durability } = this.#settings;
    const { phase, quorum } = world.stored?.record ?? {};
    if (quorum === null && phase !== "promoting" && durability.kind === "quorum") this.#wasUnprotected = true;
    const primaries = world.servers.filter((server) => {
      const agent = this.#agents.get(server.name);
      const isGuarded = agent?.isAwake === true && world.nowMs > agent.guardsSinceMs + FENCE_MS;
      return server.isAwake && server.role === "primary" && isGuarded;
    });
    if (primaries.length > 1) world.violate("two primaries", primaries.map(({ name }) => name).join(", "));
    world.after(LOOK_MS, () => this.#look());
  }

  check(clients: Clients): void {
    this.#termsGrow(clients);
    this.#isWell(clients);
    this.#nothingLost(clients);
    this.#historiesHold(clients);
  }

  #termsGrow({ acknowledged }: Clients): void {
    let last = acknowledged[0];
    for (const ack of acknowledged) {
      if (last !== undefined && ack.term < last.term)
        this.#world.violate("term went back", `${JSON.stringify(ack)} after ${JSON.stringify(last)}`);
      if (last !== undefined && ack.term === last.term && ack.server !== last.server)
        this.#world.violate("two primaries in a term", `${last.server}, ${ack.server} in ${ack.term}`);
      last = ack;
    }
  }

  #isWell({ acknowledged }: Clients): void {
    const world = this.#world;
    const { stored } = world;
    const last = acknowledged.at(-1)?.atMs ?? 0;
    if (stored?.record.phase !== "running" || world.nowMs - last > 6_000)
      return world.violate("not well", `phase ${stored?.record.phase}, last write at ${last.toFixed(0)}`);
    const primary = world.server(stored.record.server);
    for (const server of world.servers) {
      const isSame =
        server.log.length === primary.log.length &&
        commonPrefix(server.log, primary.log) === primary.log.length;
      if (!server.running || !isSame) world.violate("not the same", `${server.name} and ${primary.name}`);
    }
  }

  #nothingLost({ acknowledged, direct }: Clients): void {
    const world = this.#world;
    const primary = world.server(world.stored?.record.server ?? "");
    const there = new Set(primary.log.map(({ write }) => write?.value));
    const lost = [...acknowledged.map(({ value }) => value), ...direct].filter((value) => !there.has(value));
    if (lost.length === 0) return;
    const isReported = this.#losses.some(({ bytes, exact }) => bytes > 0 || !exact);
    const mayLose = this.#settings.durability.kind === "async" || this.#wasUnprotected;
    if (!mayLose) world.violate("acknowledged write lost", JSON.stringify(lost.slice(0, 3)));
    else if (!isReported) world.violate("loss not reported", JSON.stringify(lost.slice(0, 3)));
  }

  #historiesHold({ history }: Clients): void {
    const mayLose = this.#settings.durability.kind === "async" || this.#wasUnprotected;
    if (mayLose) return;
    for (const problem of [...checkListAppend(history), ...checkLinearizableAppends(history)])
      this.#world.violate(problem.anomaly, problem.detail);
  }
}
