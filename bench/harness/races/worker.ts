/**
 * One process of a race: does its part of every round, and looks at each round's key when all have done theirs.
 *
 * Started by cache-races.ts with its `Part` as JSON, it writes a `Tally` as JSON when it is done.
 */
import { Board, machineMs } from "./board.ts";
import { type Operation, roundOf } from "./schedule.ts";
import { SUBJECTS, type Subject, type SubjectName } from "./subjects.ts";

/** What a process is told. */
export interface Part {
  readonly subject: SubjectName;
  readonly url: string;
  readonly board: string;
  readonly process: number;
  readonly processes: number;
  readonly keys: number;
  readonly rounds: number;
  readonly seed: number;
}

/** What a process has seen. */
export interface Tally {
  loads: number;
  invalidations: number;
  /** Invalidations of which the server was not told. */
  unacknowledged: number;
  reads: number;
  /** Reads that began after an invalidation was acknowledged and got a version from before, and how long after, at most, ms. */
  oldReads: number;
  oldestReadMs: number;
  /** Rounds at whose end the server held a version below an acknowledged invalidation. */
  storedStale: number;
  looks: number;
  /** Keys of which a read got a version from before an acknowledged invalidation when all was quiet. */
  staleWhenQuiet: number;
  errors: number;
  seconds: number;
}

/** Share of the keys that have a round under way, so that round trips overlap; below 1/2, so that no key is in two. */
const WINDOW_SHARE = 0.25;
/** How long messages may be under way at the end until all is quiet, ms. */
const QUIET_MS = 1000;
/** Longer than any answer takes under full load: a server that is slow is not a server that is down. */
const DEADLINE_MS = 20_000;

class Runner {
  readonly #part: Part;
  readonly #subject: Subject;
  readonly #board: Board;
  readonly #turns: (() => void)[][] = Array.from({ length: 16 }, () => []);
  #turn = 0;
  readonly #isDone = new Set<number>();
  #done = 0;
  #started = 0;
  #looked = 0;
  #looking = 0;
  readonly tally: Tally = {
    loads: 0,
    invalidations: 0,
    unacknowledged: 0,
    reads: 0,
    oldReads: 0,
    oldestReadMs: 0,
    storedStale: 0,
    looks: 0,
    staleWhenQuiet: 0,
    errors: 0,
    seconds: 0,
  };

  constructor(part: Part, subject: Subject) {
    this.#part = part;
    this.#subject = subject;
    this.#board = new Board(part.board, part.processes, part.keys);
  }

  async run(): Promise<void> {
    const { rounds } = this.#part;
    const startedMs = machineMs();
    while (this.#looked < rounds || this.#looking > 0) {
      const doneByAll = this.#board.doneByAll();
      while (this.#looked < Math.min(doneByAll, rounds)) this.#look(this.#looked++);
      const until = Math.min(rounds, doneByAll + this.#part.keys * WINDOW_SHARE);
      while (this.#started < until) this.#start(this.#started++);
      await new Promise((resolve) => setTimeout(resolve, 0));
      const due = this.#turns[++this.#turn % this.#turns.length] ?? [];
      for (const step of due.splice(0)) step();
    }
    this.tally.seconds = (machineMs() - startedMs) / 1000;
    await new Promise((resolve) => setTimeout(resolve, QUIET_MS));
    for (let key = 0; key < this.#part.keys; key++) {
      const value = await this.#subject.getOrSet(nameOf(key), async () => this.#board.truth(key));
      if (Number(value) < this.#board.floor(key).version) this.tally.staleWhenQuiet++;
    }
  }

  #after(turns: number): Promise<void> {
    return new Promise((resolve) =>
      this.#turns[(this.#turn + 1 + turns) % this.#turns.length]?.push(resolve),
    );
  }

  #start(round: number): void {
    const { seed, processes, process } = this.#part;
    const mine = roundOf(seed, round, processes).filter((operation) => operation.process === process);
    const key = round % this.#part.keys;
    Promise.all(mine.map((operation) => this.#operate(key, operation))).then(
      () => this.#end(round),
      () => {
        this.tally.errors++;
        this.#end(round);
      },
    );
  }

  #end(round: number): void {
    this.#isDone.add(round);
    while (this.#isDone.delete(this.#done)) this.#done++;
    this.#board.report(this.#part.process, this.#done);
  }

  async #operate(key: number, { kind, after, reads, returns, way }: Operation): Promise<void> {
    await this.#after(after);
    if (kind === "load") {
      await this.#read(key, async () => {
        this.tally.loads++;
        await this.#after(reads);
        const version = this.#board.truth(key);
        await this.#after(returns);
        return version;
      });
      return;
    }
    this.tally.invalidations++;
    const version = this.#board.change(key);
    await this.#after(reads);
    if (await this.#subject.invalidate(nameOf(key), way)) this.#board.acknowledge(key, version);
    else this.tally.unacknowledged++;
  }

  async #read(key: number, load: () => Promise<number>): Promise<void> {
    const floor = this.#board.floor(key);
    const beganMs = machineMs();
    const value = await this.#subject.getOrSet(nameOf(key), load);
    this.tally.reads++;
    if (Number(value) >= floor.version) return;
    this.tally.oldReads++;
    this.tally.oldestReadMs = Math.max(this.tally.oldestReadMs, beganMs - floor.atMs);
  }

  /** All processes have done their part of the round: one looks into the server, another reads. */
  #look(round: number): void {
    const { processes, process, keys } = this.#part;
    const key = round % keys;
    const turn = round % processes;
    if (turn !== process && (turn + 1) % processes !== process) return;
    this.#looking++;
    const look =
      turn === process ? this.#lookInStore(key) : this.#read(key, async () => this.#board.truth(key));
    look.catch(() => this.tally.errors++).finally(() => this.#looking--);
  }

  async #lookInStore(key: number): Promise<void> {
    const floor = this.#board.floor(key);
    const value = await this.#subject.inStore(nameOf(key));
    this.tally.looks++;
    if (value !== undefined && value !== null && Number(value) < floor.version) this.tally.storedStale++;
  }
}

function nameOf(key: number): string {
  return `user:${key}`;
}

const part = JSON.parse(process.argv[2] ?? "{}") as Part;
const setup = { url: part.url, max: part.keys * 2, deadlineMs: DEADLINE_MS };
const subject = await SUBJECTS[part.subject](setup);
const runner = new Runner(part, subject);
await runner.run();
console.log(JSON.stringify(runner.tally));
await Promise.race([subject.close(), new Promise((resolve) => setTimeout(resolve, 500))]);
process.exit();
