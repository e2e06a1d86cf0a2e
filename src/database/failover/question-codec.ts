/** Questions and answers of members as JSON; read with care, though only members have the token. */
import { formatLsn, type Lsn, parseLsn } from "../../pgwire/index.ts";
import type { Answer, Question } from "./questions.ts";

/** Longest name of a member. */
const NAME_CHARS_MAX = 48;

/** A question and who asks. */
export interface AskedQuestion {
  readonly from: string;
  readonly question: Question;
}

/** Reads what `{from, question}` was sent as; undefined when it is something else. */
export function parseAsked(value: unknown): AskedQuestion | undefined {
  if (!isObject(value) || !isObject(value["question"])) return undefined;
  const { from } = value;
  if (typeof from !== "string" || from === "" || from.length > NAME_CHARS_MAX) return undefined;
  const { kind, id, revision } = value["question"];
  if (!isCount(id)) return undefined;
  if (kind === "position") return { from, question: { kind, id } };
  return kind === "vote" && isCount(revision) ? { from, question: { kind, id, revision } } : undefined;
}

/** An answer for JSON. */
export function encodeAnswer(answer: Answer): unknown {
  if (answer.kind === "refused") return answer;
  return { ...answer, lsn: formatLsn(answer.lsn), heard: formatLsn(answer.heard) };
}

/** Reads what `encodeAnswer` made; undefined when it is something else. */
export function parseAnswer(value: unknown): Answer | undefined {
  if (!isObject(value)) return undefined;
  const { kind, id, reason, timeline, running, canLead } = value;
  if (!isCount(id)) return undefined;
  if (kind === "refused")
    return reason === "lease-held" || reason === "stale-revision" ? { kind, id, reason } : undefined;
  const [lsn, heard] = [position(value["lsn"]), position(value["heard"])];
  const isWhole =
    kind === "position" &&
    isCount(timeline) &&
    lsn !== undefined &&
    heard !== undefined &&
    typeof running === "boolean" &&
    typeof canLead === "boolean";
  return isWhole ? { kind, id, timeline, lsn, heard, running, canLead } : undefined;
}

function position(value: unknown): Lsn | undefined {
  return typeof value === "string" ? parseLsn(value) : undefined;
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isCount(value: unknown): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0;
}
