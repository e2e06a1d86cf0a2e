/** A decision in words: what `tenfold explain scale` prints. */
import {
  type Clamp,
  type Decision,
  type DecisionReason,
  describeReason,
  type Metric,
  type Vote,
} from "./decision.ts";

/** Lines that say what was decided, from what, and what held it back. */
export function explainDecision(decision: Decision): readonly string[] {
  const { inputs, votes, clamps, result, reason } = decision;
  const verb =
    decision.direction === "hold" ? `stays at ${result}` : `goes from ${inputs.wanted} to ${result}`;
  return [
    `${verb}: ${reason}, ${describeReason(reason)}`,
    `  saw: ${inputsInWords(inputs)}`,
    ...votes.map((vote) => `  ${voteInWords(vote)}`),
    ...clamps.map((clamp) => `  ${clampInWords(clamp, reason)}`),
  ];
}

/** What decided in the end is described in the first line already. */
function clampInWords({ kind, from, to }: Clamp, reason: DecisionReason): string {
  return `${kind}: ${from} becomes ${to}${kind === reason ? "" : `, ${describeReason(kind)}`}`;
}

function inputsInWords({ wanted, ready, inFlight, backlog, cpu, deploying }: Decision["inputs"]): string {
  return [
    `${wanted} wanted`,
    `${ready} ready`,
    ...(inFlight === undefined ? [] : [`${short(inFlight)} requests in flight`]),
    ...(backlog === undefined ? [] : [`a backlog of ${short(backlog)}`]),
    ...(cpu === undefined ? [] : [`CPU ${short(cpu)} per task`]),
    ...(deploying ? ["a deploy under way"] : []),
  ].join(", ");
}

const NO_DATA: Readonly<Record<Metric, string>> = {
  "in-flight": "no data",
  backlog: "no data: its URL does not answer with a depth",
  cpu: "no data from tasks that are past their warm-up",
};

function voteInWords(vote: Vote): string {
  if (vote.kind === "missing") return `${vote.metric}: ${NO_DATA[vote.metric]}`;
  const { metric, count, current, target, reason } = vote;
  return `${metric}: ${short(current)} per ready task, target ${short(target)}, asks for ${count} (${reason})`;
}

/** Three digits are enough to follow a decision. */
function short(value: number): string {
  return String(Number(value.toPrecision(3)));
}
