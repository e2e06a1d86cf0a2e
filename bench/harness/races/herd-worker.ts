/**
 * One process of a herd: many callers ask for one key at the same moment.
 *
 * Started by cache-herd.ts with its `HerdPart` as JSON, it writes a `HerdTally` as JSON when all have an answer.
 */
import { Board, machineMs } from "./board.ts";
import { ALL_LOADS, type HerdPart, type HerdTally } from "./herd-parts.ts";
import { SUBJECTS } from "./subjects.ts";

const part = JSON.parse(process.argv[2] ?? "{}") as HerdPart;
const board = new Board(part.board, part.processes, part.processes + 1);
const subject = await SUBJECTS[part.subject]({ url: part.url, max: 100, deadlineMs: 1000 });
await subject.inStore("warm");

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
await pause(part.startAtMs - machineMs());

const load = async (): Promise<number> => {
  board.change(ALL_LOADS);
  board.change(1 + part.process);
  await pause(part.loadMs);
  return 1;
};
let slowestMs = 0;
const values = await Promise.all(
  Array.from({ length: part.callers }, async () => {
    const beganMs = machineMs();
    const value = await subject.getOrSet("hot", load).catch(() => undefined);
    slowestMs = Math.max(slowestMs, machineMs() - beganMs);
    return value;
  }),
);
const answered = values.filter((value) => Number(value) === 1).length;
const tally: HerdTally = { answered, failed: values.length - answered, slowestMs };
console.log(JSON.stringify(tally));
await Promise.race([subject.close(), pause(500)]);
process.exit();
