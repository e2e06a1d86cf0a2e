/** What an operation costs, of subjects that take turns: time, CPU of this process and CPU of PostgreSQL. */
import { ratioOf, type Spread, showSpread, showTable, spreadOf } from "./figures.ts";
import { cpuOf } from "./proc.ts";

/** Microseconds per operation, of the clock and of CPU. */
export interface Cost {
  readonly wall: number;
  readonly app: number;
  readonly postgres: number;
}

/** One of them. */
export type CostPart = keyof Cost;

/** Runs `operations` operations beside the server with that pid. */
export async function costOf(serverPid: number, operations: number, run: () => Promise<void>): Promise<Cost> {
  const [startMs, app, postgresMs] = [performance.now(), process.cpuUsage(), busyMsOf(serverPid)];
  await run();
  const { user, system } = process.cpuUsage(app);
  const us = (ms: number): number => (ms * 1000) / operations;
  return {
    wall: us(performance.now() - startMs),
    app: us((user + system) / 1000),
    postgres: us(busyMsOf(serverPid) - postgresMs),
  };
}

function busyMsOf(pid: number): number {
  const { userMs, systemMs } = cpuOf(pid);
  return userMs + systemMs;
}

/** Each subject's costs, one a round; they take turns, each round the other way round, and the first round, which warms up, does not count. */
export async function takeTurns<Name extends string>(
  subjects: Readonly<Record<Name, () => Promise<Cost>>>,
  rounds: number,
): Promise<Record<Name, Cost[]>> {
  const names = Object.keys(subjects) as Name[];
  const costs = Object.fromEntries(names.map((name) => [name, []])) as unknown as Record<Name, Cost[]>;
  for (let round = 0; round <= rounds; round++)
    for (const name of round % 2 === 0 ? names : names.toReversed()) {
      const cost = await subjects[name]();
      if (round > 0) costs[name].push(cost);
    }
  return costs;
}

/** One part of the costs of all rounds. */
export function partOf(costs: readonly Cost[], part: CostPart): number[] {
  return costs.map((cost) => cost[part]);
}

/** Round by round ours / theirs. */
export function costRatio(ours: readonly Cost[], theirs: readonly Cost[], part: CostPart): Spread {
  return ratioOf(partOf(ours, part), partOf(theirs, part));
}

/** A row per subject. `operation`: "query". */
export function showCosts(operation: string, costs: Readonly<Record<string, readonly Cost[]>>): string {
  const rows = Object.entries(costs).map(([name, all]) => [
    name,
    ...(["wall", "app", "postgres"] as const).map((part) => showSpread(spreadOf(partOf(all, part)), 0)),
  ]);
  return showTable([[`us per ${operation}`, "wall", "app's CPU", "PostgreSQL's CPU"], ...rows]);
}
