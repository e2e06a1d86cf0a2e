/** Installations of one site over an imaginary network: what each applies, and what a client may see of it. */
import { describe, expect, test } from "bun:test";
import { seededRandom, simulatedTime } from "../base/index.ts";
import type { EdgeConfig } from "../config/index.ts";
import { memoryStore } from "../control/testing/memory-store.ts";
import { type PurgeBatch, type PurgeJson, SHIELD_WAIT_MS } from "../edge/index.ts";
import type { EdgeAcknowledgement } from "./api.ts";
import { Propagation } from "./propagation.ts";
import { type JournalBounds, PurgeJournal } from "./purge-journal.ts";

type Memory = ReturnType<typeof memoryStore>;

/** One installation: its log and positions outlive it, as a file does. */
interface Node {
  readonly name: string;
  readonly role: EdgeConfig["role"];
  store: Memory;
  propagation: Propagation;
  journal: PurgeJournal;
  /** All that was carried out, oldest first. */
  readonly applied: PurgeJson[];
  /** No way to it, or it cannot carry out anything. */
  isCut: boolean;
  isBusy: boolean;
  /** Answers get lost after the batch was taken. */
  losesAnswers: boolean;
}

class Site {
  readonly time = simulatedTime();
  readonly nodes = new Map<string, Node>();
  readonly random: () => number;
  readonly bounds: JournalBounds;
  onApply: (node: Node, purges: readonly PurgeJson[]) => void = () => {};

  constructor(seed = 1, bounds: JournalBounds = {}) {
    this.random = seededRandom(seed);
    this.bounds = bounds;
  }

  static async of(
    roles: Readonly<Record<string, EdgeConfig["role"]>>,
    seed = 1,
    bounds: JournalBounds = {},
  ): Promise<Site> {
    const site = new Site(seed, bounds);
    for (const [name, role] of Object.entries(roles)) await site.#add(name, role);
    await site.connect();
    return site;
  }

  async #add(name: string, role: EdgeConfig["role"]): Promise<void> {
    const node = {
      name,
      role,
      applied: [],
      isCut: false,
      isBusy: false,
      losesAnswers: false,
      store: memoryStore(),
    };
    this.nodes.set(name, await this.#start(node));
  }

  async #start(node: Omit<Node, "propagation" | "journal">): Promise<Node> {
    const { clock, scheduler } = this.time;
    const journal = await PurgeJournal.open(node.store, { clock, isDamaged: false }, this.bounds);
    const propagation = new Propagation({
      journal,
      clock,
      scheduler,
      random: this.random,
      send: (edge, from, batch) => this.#send(edge.name, from, batch),
      apply: async (purges) => {
        if (node.isBusy) return false;
        node.applied.push(...purges);
        this.onApply(this.at(node.name), purges);
        return true;
      },
    });
    return Object.assign(node, { propagation, journal });
  }

  /** Only `fra` tells the others: what the lines of the rest would do is the same. */
  async connect(): Promise<void> {
    const others = [...this.nodes.values()].filter(({ name }) => name !== "fra");
    const edges = others.map(({ name, role }) => ({ name, role, admin: "", tokenFile: "" }));
    await this.at("fra").propagation.setEdges("fra", edges);
    await this.pass(0);
  }

  at(name: string): Node {
    const node = this.nodes.get(name);
    if (node === undefined) throw new Error(`there is no ${name}`);
    return node;
  }

  async #send(
    to: string,
    from: string,
    batch: PurgeBatch,
  ): ReturnType<ConstructorParameters<typeof Propagation>[0]["send"]> {
    const node = this.at(to);
    if (node.isCut) return { kind: "problem", problem: "cut" };
    const receipt = await node.propagation.take(from, JSON.parse(JSON.stringify(batch)) as PurgeBatch);
    if (node.losesAnswers) return { kind: "problem", problem: "lost" };
    return receipt === undefined
      ? { kind: "problem", problem: "503 cache-busy" }
      : { kind: "receipt", receipt };
  }

  /** A crash, and a start from what was durable. */
  async restart(name: string): Promise<void> {
    const node = this.at(name);
    await node.propagation.stop();
    await this.#start(node);
    if (name === "fra") await this.connect();
  }

  purge(tag: string, here: () => void = () => {}): Promise<number> {
    const work = async (): Promise<void> => here();
    return this.at("fra")
      .propagation.purge({ tags: [tag] }, work)
      .then(({ number }) => number);
  }

  /** Time passes, and whatever it sets off. */
  async pass(ms: number): Promise<void> {
    for (let left = ms; left >= 0; left -= 50) {
      this.time.advance(Math.min(50, left));
      await new Promise((resolve) => setImmediate(resolve));
    }
  }
}

const tagsOf = ({ applied }: Node): string[] =>
  applied.flatMap((order) => (order["everything"] === true ? ["*"] : (order["tags"] as string[])));

const open = (acks: readonly EdgeAcknowledgement[]): string[] =>
  acks.filter(({ acknowledged }) => !acknowledged).map(({ edge, problem }) => `${edge}: ${problem}`);

describe("a purge", () => {
  test("reaches every installation once and in order, shields before edges, and this one again after the shields", async () => {
    const site = await Site.of({ fra: "edge", lon: "edge", s1: "shield" });
    const order: string[] = [];
    site.onApply = ({ name }, purges) =>
      void order.push(`${name} ${purges.map((purge) => String(purge["tags"])).join("+")}`);
    const number = await site.purge("a", () => void order.push("fra here"));
    expect(open(await site.at("fra").propagation.settled(number, 1000))).toEqual([]);
    expect([order[0], order[1], order.slice(2).toSorted()]).toEqual(["fra here", "s1 a", ["fra a", "lon a"]]);
    for (const tag of ["b", "c"]) await site.purge(tag);
    await site.pass(0);
    for (const name of ["lon", "s1"])
      expect(tagsOf(site.at(name)).filter((tag) => tag !== "*")).toEqual(["a", "b", "c"]);
  });

  test("that an installation cannot be told of is told when it can, and who waits is told which one it is", async () => {
    const site = await Site.of({ fra: "edge", lon: "edge", ams: "edge" });
    site.at("lon").isCut = true;
    const number = await site.purge("a");
    const settled = site.at("fra").propagation.settled(number, 1000);
    await site.pass(1100);
    expect(open(await settled)).toEqual(["lon: cut"]);
    expect(site.at("fra").propagation.status()).toMatchObject([
      { edge: "lon", lag: 1, problem: "cut", acknowledged: number - 1 },
      { edge: "ams", lag: 0, lagMs: 0, problem: "", acknowledged: number },
    ]);
    site.at("lon").isCut = false;
    await site.pass(7000);
    expect(open(await site.at("fra").propagation.settled(number, 0))).toEqual([]);
    expect(tagsOf(site.at("lon")).at(-1)).toBe("a");
  });

  test("is carried out once when the acknowledgement is lost and it is sent again", async () => {
    const site = await Site.of({ fra: "edge", lon: "edge" });
    site.at("lon").losesAnswers = true;
    await site.purge("a");
    await site.pass(3000);
    site.at("lon").losesAnswers = false;
    await site.pass(6000);
    expect(tagsOf(site.at("lon")).filter((tag) => tag === "a")).toEqual(["a"]);
    expect(site.at("fra").propagation.status()).toMatchObject([{ lag: 0 }]);
  });

  test("is not acknowledged by one that cannot carry it out", async () => {
    const site = await Site.of({ fra: "edge", lon: "edge" });
    site.at("lon").isBusy = true;
    const number = await site.purge("a");
    const settled = site.at("fra").propagation.settled(number, 500);
    await site.pass(600);
    expect(open(await settled)).toEqual(["lon: 503 cache-busy"]);
    site.at("lon").isBusy = false;
    await site.pass(6000);
    expect(site.at("fra").propagation.status()).toMatchObject([{ lag: 0 }]);
  });

  test("outlives a crash of the installation that was asked, and of the one that is told", async () => {
    const site = await Site.of({ fra: "edge", lon: "edge" });
    site.at("lon").isCut = true;
    for (const tag of ["a", "b"]) await site.purge(tag);
    await site.restart("fra");
    await site.restart("lon");
    site.at("lon").isCut = false;
    await site.pass(7000);
    expect(tagsOf(site.at("lon")).slice(-2)).toEqual(["a", "b"]);
    expect(site.at("fra").propagation.status()).toMatchObject([{ lag: 0 }]);
  });

  test("that the log no longer reaches back to makes the installation forget everything", async () => {
    const site = await Site.of({ fra: "edge", lon: "edge" }, 1, { entriesMax: 5 });
    site.at("lon").isCut = true;
    for (let at = 0; at < 9; at++) await site.purge(`${at}`);
    site.at("lon").isCut = false;
    await site.pass(7000);
    expect(tagsOf(site.at("lon"))).toEqual(["*", "*"]);
    expect(site.at("fra").propagation.status()).toMatchObject([{ lag: 0 }]);
    await site.purge("after");
    await site.pass(0);
    expect(tagsOf(site.at("lon")).at(-1)).toBe("after");
  });

  test("of a log that is new, or was lost, makes all forget everything", async () => {
    const site = await Site.of({ fra: "edge", lon: "edge" });
    await site.purge("a");
    await site.pass(0);
    site.at("fra").store = memoryStore();
    await site.restart("fra");
    await site.pass(0);
    expect(tagsOf(site.at("lon"))).toEqual(["*", "a", "*"]);
  });

  test("of a log that was put back to an older state is not mistaken for one that went before", async () => {
    const site = await Site.of({ fra: "edge", lon: "edge" });
    const { store } = site.at("fra");
    const { entries } = await store.list("");
    for (const tag of ["a", "b"]) await site.purge(tag);
    await site.pass(0);
    const older = memoryStore();
    for (const { key, value } of entries) await older.put(key, value, "any");
    site.at("fra").store = older;
    await site.restart("fra");
    await site.pass(100);
    expect(tagsOf(site.at("lon")).at(-1)).toBe("*");
    await site.purge("c");
    await site.pass(100);
    expect(tagsOf(site.at("lon")).at(-1)).toBe("c");
  });

  test("is told to an installation that was put back to an older state once more", async () => {
    const site = await Site.of({ fra: "edge", lon: "edge" });
    await site.purge("a");
    await site.pass(0);
    const older = memoryStore();
    for (const { key, value } of (await site.at("lon").store.list("")).entries)
      await older.put(key, value, "any");
    await site.purge("b");
    await site.pass(0);
    site.at("lon").store = older;
    await site.restart("lon");
    await site.pass(13_000);
    expect(tagsOf(site.at("lon"))).toEqual(["*", "a", "b", "b"]);
  });
});

describe("a shield that cannot be told", () => {
  test("keeps edges from having acknowledged what it has meanwhile, before they have forgotten that again", async () => {
    const site = await Site.of({ fra: "edge", lon: "edge", s1: "shield" });
    site.at("s1").isCut = true;
    const first = await site.purge("a");
    for (let at = 0; at < 150; at++) await site.purge(`${at}`);
    await site.pass(SHIELD_WAIT_MS + 100);
    site.at("s1").isCut = false;
    let was = 0;
    site.onApply = ({ name }) => {
      // The shield has taken the first batch, in which the purge is, and more are to come.
      if (name === "s1" && was++ === 0) site.at("s1").isCut = true;
    };
    await site.pass(6000);
    const settled = site.at("fra").propagation.settled(first, 0);
    await site.pass(0);
    expect(open(await settled)).toEqual(["lon: it waits for a shield"]);
  });

  test("holds edges up for a while only; what they forgot without it they forget again when it has", async () => {
    const site = await Site.of({ fra: "edge", lon: "edge", s1: "shield" });
    site.at("s1").isCut = true;
    const number = await site.purge("a");
    await site.pass(SHIELD_WAIT_MS - 200);
    expect(tagsOf(site.at("lon")).includes("a")).toBe(false);
    const waiting = site.at("fra").propagation.settled(number, 0);
    await site.pass(0);
    expect(open(await waiting)).toEqual(["lon: it waits for a shield", "s1: cut"]);
    await site.pass(400);
    expect(tagsOf(site.at("lon")).filter((tag) => tag === "a")).toEqual(["a"]);
    site.at("s1").isCut = false;
    await site.pass(7000);
    expect(tagsOf(site.at("lon")).filter((tag) => tag === "a")).toEqual(["a", "a"]);
    expect(open(await site.at("fra").propagation.settled(number, 0))).toEqual([]);
    await site.pass(60_000);
    expect(tagsOf(site.at("lon")).filter((tag) => tag === "a")).toEqual(["a", "a"]);
  });

  test("for very many purges makes them forget everything instead of each of them again", async () => {
    const site = await Site.of({ fra: "edge", lon: "edge", s1: "shield" });
    site.at("s1").isCut = true;
    for (let at = 0; at < 150; at++) await site.purge(`${at}`);
    await site.pass(SHIELD_WAIT_MS + 200);
    site.at("s1").isCut = false;
    await site.pass(7000);
    expect(tagsOf(site.at("lon")).slice(-2)).toEqual(["149", "*"]);
  });
});

/**
 * Clients read at edges, which ask shields, which ask the origin; each keeps what it got until it is purged. Purges, cuts,
 * crashes and lost answers come as they may.
 */
test("no edge gives out what is older than a purge that all have acknowledged, over many interleavings", async () => {
  let acknowledged = 0;
  for (let seed = 1; seed <= 60; seed++) {
    const site = await Site.of({ fra: "edge", lon: "edge", s1: "shield", s2: "shield" }, seed, {
      entriesMax: 30,
    });
    const pick = (of: readonly string[]): string => of[Math.floor(site.random() * of.length)] ?? "";
    const kept = new Map<string, number>();
    let version = 0;
    let floor = 0;
    site.onApply = ({ name }) => void kept.delete(name);
    const fetchAt = (name: string, from: () => number): number => {
      const have = kept.get(name) ?? from();
      kept.set(name, have);
      return have;
    };
    const read = (edge: string): number => fetchAt(edge, () => fetchAt(pick(["s1", "s2"]), () => version));
    await site.pass(3000);
    for (let step = 0; step < 250; step++) {
      const dice = site.random();
      const name = pick(["lon", "s1", "s2"]);
      if (dice < 0.5) expect([seed, step, read(pick(["fra", "lon"])) >= floor]).toEqual([seed, step, true]);
      else if (dice < 0.65) {
        const now = ++version;
        const number = await site.purge("x", () => void kept.delete("fra"));
        void site
          .at("fra")
          .propagation.settled(number, 4000)
          .then((acks) => {
            if (open(acks).length > 0) return;
            acknowledged++;
            floor = Math.max(floor, now);
          });
      } else if (dice < 0.72) site.at(name).isCut = site.random() < 0.4;
      else if (dice < 0.77) site.at(name).losesAnswers = site.random() < 0.3;
      else if (dice < 0.79) await site.restart(pick(["fra", "lon", "s1", "s2"]));
      else await site.pass(Math.floor(site.random() * 1500));
    }
    for (const node of site.nodes.values()) Object.assign(node, { isCut: false, losesAnswers: false });
    await site.pass(15_000);
    expect([seed, read("fra"), read("lon")]).toEqual([seed, version, version]);
  }
  expect(acknowledged).toBeGreaterThan(500);
}, 60_000);

test("a purge that cannot be logged is not carried out, here or elsewhere", async () => {
  const site = await Site.of({ fra: "edge", lon: "edge" });
  const { store } = site.at("fra");
  const put = store.put.bind(store);
  store.put = () => Promise.reject(new Error("no space left on device"));
  let isDone = false;
  const purged = site.purge("a", () => void (isDone = true));
  expect(purged).rejects.toThrow("no space left");
  await purged.catch(() => {});
  await site.pass(3000);
  expect([isDone, tagsOf(site.at("lon"))]).toEqual([false, ["*"]]);
  store.put = put;
  await site.purge("b");
  await site.pass(100);
  expect(tagsOf(site.at("lon"))).toEqual(["*", "b"]);
});
