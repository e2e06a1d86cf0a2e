/** The verdict on one case, from what the client saw and what reached the target. */
import type { Case, Forwarded } from "./case.ts";
import type { Answers } from "./exchange.ts";
import type { Reached } from "./recording-origin.ts";
import { type Message, valuesOf } from "./strict-reader.ts";

/** Everything observed while a case was played. */
export interface Observation {
  readonly answers: Answers;
  readonly reached: Reached;
}

/** `undefined` when the proxy did right, else what it did wrong. */
export type Fault = string | undefined;

/** Judges one case. `strict`: requests that should be refused must be. */
export function judge(played: Case, seen: Observation, strict: boolean): Fault {
  const { answers, reached } = seen;
  if (reached.ambiguities.length > 0)
    return `forwarded in an ambiguous form: ${reached.ambiguities.join("; ")}`;
  if (answers.ambiguity !== undefined) return `answered in an ambiguous form: ${answers.ambiguity}`;
  const refused = refusalFault(played, seen);
  const either =
    refused === undefined || reached.requests.length === 0 ? refused : forwardFault(played, seen);
  switch (played.refusal) {
    case "must":
    case "unfinished":
      return refused;
    case "should":
      return strict ? refused : either;
    case "may":
      return either;
    case "never":
      return forwardFault(played, seen);
  }
}

/** Whether nothing complete reached the target and the client was told, or left, as a refusal allows. */
function refusalFault({ statuses, silence, refusal }: Case, { answers, reached }: Observation): Fault {
  const [first] = reached.requests;
  if (first !== undefined) return `reached the target as ${JSON.stringify(first.startLine.slice(0, 80))}`;
  const wrong = answers.statuses.find((status) => !statuses.includes(status));
  if (wrong !== undefined) return `answered ${wrong}, not ${statuses.join(" or ")}`;
  if (answers.statuses.length === 0) return silence ? undefined : "neither answered nor forwarded";
  const open = answers.statuses.includes(400) && !answers.closed && refusal !== "unfinished";
  return open ? "refused, but left open" : undefined;
}

function forwardFault(played: Case, { answers, reached }: Observation): Fault {
  const { forwarded, closes, statuses } = played;
  const { requests } = reached;
  if (requests.length !== forwarded.count) {
    return `${requests.length} requests reached the target, not ${forwarded.count} (answers: ${answers.statuses.join(", ") || "none"})`;
  }
  const [first] = requests;
  const changed = first === undefined ? undefined : formFault(first, forwarded);
  if (changed !== undefined) return changed;
  const failed = answers.statuses.slice(0, forwarded.count).find((status) => status >= 300);
  if (failed !== undefined) return `answered ${failed} though it was forwarded`;
  if (answers.statuses.length < forwarded.count)
    return `${answers.statuses.length} answers to ${forwarded.count} requests`;
  const extra = answers.statuses.slice(forwarded.count).find((status) => !statuses.includes(status));
  if (extra !== undefined) return `a further answer with ${extra}`;
  return closes && !answers.closed ? "left open" : undefined;
}

function formFault(request: Message, { target, body, has = {}, lacks = [] }: Forwarded): Fault {
  const sent = request.startLine.split(" ")[1];
  if (target !== undefined && sent !== target) return `target ${sent}, not ${target}`;
  if (body !== undefined && request.body !== body)
    return `body ${JSON.stringify(request.body)}, not ${JSON.stringify(body)}`;
  for (const [name, value] of Object.entries(has)) {
    const values = valuesOf(request, name);
    if (values.length !== 1 || values[0] !== value)
      return `${name} is ${JSON.stringify(values)}, not "${value}"`;
  }
  const kept = lacks.find((name) => valuesOf(request, name).length > 0);
  return kept === undefined ? undefined : `${kept} was passed on`;
}
