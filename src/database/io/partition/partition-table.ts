/** Partitions a table while it is written, from wherever an earlier run ended; takes it back; drops what was kept. */
import { type Clock, formatDuration } from "../../../base/index.ts";
import {
  abortSteps,
  boundQuery,
  compareQuery,
  copySteps,
  dropOldSteps,
  fingerprintOf,
  forgetSteps,
  keptOf,
  lockStep,
  makeSteps,
  PartitionProblem,
  type Plan,
  type Position,
  partsOf,
  quoteName,
  quoteTable,
  refuse,
  type Scheme,
  type Seen,
  swapSteps,
  type TableFacts,
  twinOf,
  wordOf,
} from "../../partition/index.ts";
import { isLockProblem, type KeptState, type PartitionSession } from "./session.ts";

/** What a run has beside its session. */
export interface PartitionParts {
  readonly clock: Clock;
  /** Gets a line for people. */
  readonly say: (line: string) => void;
}

/** A batch is over in some 50 ms, so that whoever wants to write one of its rows does not notice. */
const BATCH_ROWS = 5000;
/** Shorter than Postgres' deadlock_timeout (1 s): of a writer and a batch that wait for each other the batch gives up, always. */
const BATCH_LOCK_MS = 200;
const BATCH_PAUSE_MS = 50;
/** A batch of one row that cannot be had for so many tries: somebody's transaction holds it for minutes. */
const BATCH_TRIES = 600;
const PROGRESS_MS = 2000;

/** Prints what would be run. */
export async function planPartition(
  session: PartitionSession,
  scheme: Scheme,
  { clock, say }: PartitionParts,
): Promise<void> {
  const facts = await session.open();
  const plan = await newPlan(session, facts, scheme, clock);
  const section = (title: string, steps: readonly string[]) => {
    say(`-- ${title}`);
    for (const step of steps) say(`${step};`);
  };
  section("a partitioned twin and what mirrors writes into it, in one transaction", makeSteps(plan));
  section(`${BATCH_ROWS} rows at a time, each in a transaction of its own`, [
    boundQuery(plan, undefined, BATCH_ROWS),
    ...copySteps(plan, undefined, undefined, BATCH_ROWS),
  ]);
  section("compare, in one snapshot", [compareQuery(plan)]);
  section("swap, in one transaction that waits at most 0.8 s for its lock", [
    lockStep(plan),
    ...swapSteps(plan),
  ]);
}

/** Partitions the table, or goes on with it. */
export async function partitionTable(
  session: PartitionSession,
  scheme: Scheme,
  parts: PartitionParts,
): Promise<void> {
  const facts = await session.open();
  const table = session.name.table;
  let state = await session.state();
  if (state?.stage === "swapped" && facts.kind === "r") {
    // An ordinary table, though one of its name was swapped: another one, made after that one was dropped.
    await session.patiently("select 1", async () => {}, forgetSteps(session.name));
    state = undefined;
  }
  if (state?.stage === "swapped") {
    parts.say(
      `${table} is partitioned; ${keptOf(session.name).table} is what it was: tenfold db partition ${wordOf(session.name)} --drop-old`,
    );
    return;
  }
  if (state === undefined) {
    const plan = await newPlan(session, facts, scheme, parts.clock);
    // The lock is that of CREATE TRIGGER: with it all writers are over that the triggers would not have seen.
    await session.patiently("select 1", async () => {}, makeSteps(plan));
    parts.say(
      `made ${twinOf(session.name).table} with ${plan.parts.length} partitions; writes go to both from now on`,
    );
    await finish(session, plan, { position: undefined, copied: 0, stage: "copying" }, parts);
    return;
  }
  if (JSON.stringify(state.scheme) !== JSON.stringify(scheme))
    throw new PartitionProblem(
      `a copy of ${table} by ${state.scheme.kind} (${state.scheme.column}) was begun`,
      "write the same options as then, or take it back with --abort",
    );
  ensureSame(facts, state.fingerprint, table);
  parts.say(`going on after ${state.copied} rows`);
  await finish(session, { name: session.name, facts, scheme, parts: [] }, state, parts);
}

/** Takes back what was begun; the table stays as it was. */
export async function abortPartition(session: PartitionSession, { say }: PartitionParts): Promise<void> {
  const facts = await session.open();
  const { table } = session.name;
  const state = await session.state();
  if (state === undefined)
    throw new PartitionProblem(`nothing was begun with ${table}`, "there is nothing to take back");
  if (state.stage === "swapped")
    throw new PartitionProblem(
      `${table} is partitioned already`,
      `${keptOf(session.name).table} has its rows of before, without later writes`,
    );
  const plan: Plan = { name: session.name, facts, scheme: state.scheme, parts: [] };
  await session.patiently(lockStep(plan), async () => {}, abortSteps(plan));
  say(`${table} is as it was`);
}

/** Drops the table that a swap has kept. */
export async function dropOldTable(session: PartitionSession, { say }: PartitionParts): Promise<void> {
  await session.open();
  const kept = keptOf(session.name);
  if ((await session.state())?.stage !== "swapped")
    throw new PartitionProblem(`${session.name.table} has no table of before`, "partition it first");
  await session.patiently("select 1", async () => {}, dropOldSteps(session.name));
  say(`dropped ${kept.table}`);
}

async function newPlan(
  session: PartitionSession,
  facts: TableFacts,
  scheme: Scheme,
  clock: Clock,
): Promise<Plan> {
  const { name } = session;
  refuse(name, facts, scheme);
  const seen = scheme.kind === "range" ? await seenOf(session, scheme.column) : undefined;
  return { name, facts, scheme, parts: partsOf(name, scheme, seen, new Date(clock.wallMs())) };
}

async function seenOf(session: PartitionSession, column: string): Promise<Seen | undefined> {
  const key = quoteName(column);
  const ms = (edge: string) => `floor(extract(epoch from ${edge}(${key})) * 1000)::int8`;
  const [row] = await session.rows(
    `select ${ms("min")} as first, ${ms("max")} as last from only ${quoteTable(session.name)} where isfinite(${key})`,
  );
  if (!row?.["first"] || !row["last"]) return undefined;
  return { from: new Date(Number(row["first"])), to: new Date(Number(row["last"])) };
}

function ensureSame(facts: TableFacts, fingerprint: string, table: string): void {
  if (fingerprintOf(facts) === fingerprint) return;
  throw new PartitionProblem(
    `the definition of ${table} has changed since the copy was begun`,
    "take the copy back with --abort, and begin again",
  );
}

/** Copies what is missing, compares and swaps. */
async function finish(
  session: PartitionSession,
  plan: Plan,
  state: Pick<KeptState, "position" | "copied" | "stage">,
  parts: PartitionParts,
): Promise<void> {
  const { name, facts } = plan;
  if (state.stage === "copying") await copy(session, plan, state, parts);
  parts.say("comparing");
  const [sums] = await session.rows(compareQuery(plan));
  if (sums?.["same"] !== "t")
    throw new PartitionProblem(
      `${name.table} has ${sums?.["rows"]} rows, its twin ${sums?.["twin_rows"]}, and they are not the same`,
      "take it back with --abort; who writes with session_replication_role or triggers disabled is not seen",
    );
  await session.rows(`analyze ${quoteTable(twinOf(name))}`);
  const fingerprint = fingerprintOf(facts);
  await session.patiently(
    lockStep(plan),
    async () => ensureSame(await session.facts(), fingerprint, name.table),
    swapSteps(plan),
  );
  parts.say(`${sums["rows"]} rows are the same in both; ${name.table} is partitioned`);
  parts.say(`${keptOf(name).table} is what it was: tenfold db partition ${wordOf(name)} --drop-old`);
}

async function copy(
  session: PartitionSession,
  plan: Plan,
  state: Pick<KeptState, "position" | "copied">,
  { clock, say }: PartitionParts,
): Promise<void> {
  const total = plan.facts.rows > 0 ? plan.facts.rows : await countOf(session);
  const startedAt = clock.nowMs();
  let saidAt = startedAt;
  let { position, copied } = state;
  let rows = BATCH_ROWS;
  let tries = 0;
  for (;;) {
    // oxlint-disable-next-line no-await-in-loop -- batches follow each other
    const to = await boundOf(session, plan, position, rows);
    // Few rows are left when none bounds a whole batch, and none when none bounds a batch of one.
    const isLast = to === undefined && rows === BATCH_ROWS;
    if (to === undefined && !isLast) {
      rows = Math.min(BATCH_ROWS, rows * 2);
      // oxlint-disable-next-line no-await-in-loop -- the rest may be what a writer holds
      await session.pause(BATCH_PAUSE_MS);
      continue;
    }
    try {
      // oxlint-disable-next-line no-await-in-loop -- batches follow each other
      await session.transaction(copySteps(plan, position, to, isLast ? 0 : rows), BATCH_LOCK_MS);
    } catch (error) {
      if (!isLockProblem(error)) throw error;
      if (++tries === BATCH_TRIES)
        throw new PartitionProblem(
          `rows of ${plan.name.table} are locked for minutes`,
          "look for long transactions in pg_stat_activity, then run the command again",
        );
      rows = Math.max(1, Math.floor(rows / 2));
      // oxlint-disable-next-line no-await-in-loop -- a pause
      await session.pause(BATCH_PAUSE_MS);
      continue;
    }
    if (isLast) break;
    [position, copied, tries] = [to, copied + rows, 0];
    rows = Math.min(BATCH_ROWS, rows * 2);
    if (clock.nowMs() - saidAt < PROGRESS_MS) continue;
    saidAt = clock.nowMs();
    say(progressLine({ copied, total, since: state.copied, ms: saidAt - startedAt }));
  }
  say(`copied all rows in ${formatDuration(clock.nowMs() - startedAt)}`);
}

async function boundOf(
  session: PartitionSession,
  plan: Plan,
  from: Position | undefined,
  rows: number,
): Promise<Position | undefined> {
  const [row] = await session.rows(boundQuery(plan, from, rows));
  return row === undefined ? undefined : Object.values(row).map((value) => value ?? "");
}

async function countOf(session: PartitionSession): Promise<number> {
  const [row] = await session.rows(`select count(*) as n from only ${quoteTable(session.name)}`);
  return Number(row?.["n"] ?? 0);
}

function progressLine({
  copied,
  total,
  since,
  ms,
}: {
  copied: number;
  total: number;
  since: number;
  ms: number;
}): string {
  const rate = ((copied - since) / ms) * 1000;
  const all = Math.max(total, copied);
  const left = rate > 0 ? formatDuration(((all - copied) / rate) * 1000) : "?";
  return `${copied} of about ${all} rows (${Math.floor((copied / Math.max(1, all)) * 100)} %), ${Math.round(rate)} a second, ${left} left`;
}
