/** The way to another installation of the site: its admin API, one call at a time. */
import { readFileSync } from "node:fs";
import type { EdgeConfig } from "../config/index.ts";
import type { PurgeBatch } from "../edge/index.ts";
import type { ApiError, PurgeReceipt } from "./api.ts";

/** A purge takes milliseconds, the way there and back a few hundred; who takes longer is asked again. */
const TIMEOUT_MS = 5_000;

/** An answer is a few words. */
const ANSWER_BYTES_MAX = 64 * 1024;

/** What a call came to: the receipt, or why there is none. */
export type EdgeAnswer =
  | { readonly kind: "receipt"; readonly receipt: PurgeReceipt }
  | { readonly kind: "problem"; readonly problem: string };

/** Sends a batch of this installation's log, `from`, to another one. Never rejects. */
export async function sendBatch(edge: EdgeConfig, from: string, batch: PurgeBatch): Promise<EdgeAnswer> {
  try {
    // Read each time, so that a new token counts at once.
    const token = readFileSync(edge.tokenFile, "utf8").trim();
    const response = await fetch(`${edge.admin}/v1/edges/${encodeURIComponent(from)}/purges`, {
      method: "POST",
      headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
      body: JSON.stringify(batch),
      redirect: "error", // the token is for nobody else
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    const answer: unknown = JSON.parse(await readBounded(response));
    if (response.ok) return { kind: "receipt", receipt: receiptOf(answer) };
    return { kind: "problem", problem: `${response.status} ${(answer as ApiError).error.code}` };
  } catch (problem) {
    return { kind: "problem", problem: wordsOf(problem, edge) };
  }
}

const KINDS: readonly unknown[] = ["take", "drop-all", "behind", "ahead"];

/** Throws a TypeError when it is none. */
function receiptOf(answer: unknown): PurgeReceipt {
  const { kind, number } = answer as Partial<PurgeReceipt>;
  if (KINDS.includes(kind) && Number.isSafeInteger(number)) return answer as PurgeReceipt;
  throw new TypeError("no receipt");
}

async function readBounded(response: Response): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  for await (const chunk of response.body ?? []) {
    text += decoder.decode(chunk, { stream: true });
    if (text.length > ANSWER_BYTES_MAX) throw new Error("its answer is too long");
  }
  return text;
}

function wordsOf(problem: unknown, { tokenFile }: EdgeConfig): string {
  if (!(problem instanceof Error)) return String(problem);
  if (problem.name === "TimeoutError") return `no answer within ${TIMEOUT_MS / 1000} s`;
  const code = "code" in problem ? String(problem.code) : "";
  if (code === "ENOENT" || code === "EACCES") return `its token file ${tokenFile} cannot be read (${code})`;
  if (code === "ConnectionRefused" || code === "ECONNREFUSED") return "it refuses the connection";
  const isStrange = problem instanceof SyntaxError || problem instanceof TypeError;
  return isStrange && code === "" ? "it does not answer as an admin API does" : code || problem.message;
}
