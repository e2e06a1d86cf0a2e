/**
 * A million broken messages through the HTTP/1.1 codec: none may crash it, and none that it lets through may be read
 * in two ways. Prints the figures; a failure prints the seed and the message.
 *
 * Run: bin/bun bench/http1-fuzz.ts [mutants] [seed]
 */
import { checkMutants, checkResponseMutants, type MutantCount } from "../src/http/http1/testing/mutants.ts";

const MUTANTS = Number(process.argv[2] ?? 1_000_000);
const SEED = Number(process.argv[3] ?? 20);
/** A round is small enough to sample memory often. */
const ROUND = 50_000;

/** Runs all rounds of one kind, each with its own seed. */
function run(name: string, check: (count: number, seed: number) => MutantCount): void {
  const total: MutantCount = { tried: 0, forwarded: 0, refused: 0, incomplete: 0 };
  const heapBefore = heapMiB();
  for (let round = 0; total.tried < MUTANTS; round++) {
    const part = check(Math.min(ROUND, MUTANTS - total.tried), SEED + round);
    for (const key of Object.keys(total) as (keyof MutantCount)[]) total[key] += part[key];
  }
  const { tried, forwarded, refused, incomplete } = total;
  console.log(
    `${name}: ${tried} mutants, ${forwarded} forwarded in one reading, ${refused} refused, ${incomplete} incomplete`,
  );
  console.log(`${name}: heap ${heapBefore} MiB before, ${heapMiB()} MiB after; 0 crashes, 0 ambiguous`);
}

function heapMiB(): number {
  Bun.gc(true);
  return Math.round(process.memoryUsage().heapUsed / 2 ** 20);
}

run("requests", checkMutants);
run("responses", checkResponseMutants);
