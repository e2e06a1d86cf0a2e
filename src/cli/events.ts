/** The controller's events as a command follows them: what is new since the last look. */
import type { EventRecord, Status } from "../app/index.ts";
import type { AdminClient } from "./admin-client.ts";
import { type Context, pause } from "./context.ts";
import { hindranceCheck } from "./patience.ts";
import { timeOfDay } from "./render/figures.ts";
import type { Style } from "./style.ts";

/** Gives what happened since the last call. */
export type EventFeed = () => Promise<readonly EventRecord[]>;

/** A person sees a step when it happens; the controller hardly notices. */
const POLL_MS = 200;

/** Room for "web/12", so that messages begin in one column. */
const SUBJECT_WIDTH = 10;

/** Says only that a task is about to start; that it does comes in the same moment. */
const PENDING = "task-pending";

/** A feed of events with numbers above `after`; what is said twice in a row of one subject is given once. */
export function eventFeed(client: AdminClient, after: number): EventFeed {
  let seen = after;
  const said = new Map<string, string>();
  const isNew = ({ subject, message, event }: EventRecord): boolean => {
    if (event === PENDING) return false;
    const isRepeated = said.get(subject) === message;
    said.set(subject, message);
    return !isRepeated;
  };
  return async () => {
    const events = await client.events(seen);
    seen = Math.max(seen, ...events.map((event) => event.number));
    return events.filter(isNew);
  };
}

/** A feed of what happens from now on. */
export async function feedFromNow(client: AdminClient): Promise<EventFeed> {
  const past = await client.events(0);
  return eventFeed(client, past.at(-1)?.number ?? 0);
}

/** What `followUntil` looks for, and what it shows on the way. */
export interface Following<T> {
  readonly feed: EventFeed;
  readonly show: (event: EventRecord) => void;
  /** Anything but undefined ends it. */
  readonly verdict: (status: Status) => T | undefined;
}

/** Shows events until the status gives a verdict; everything that led to the verdict is shown before it. */
export async function followUntil<T>(
  context: Context,
  client: AdminClient,
  { feed, show, verdict }: Following<T>,
): Promise<T> {
  const check = hindranceCheck(context.clock);
  for (;;) {
    const status = await client.status();
    const found = verdict(status);
    for (const event of await feed()) show(event);
    if (found !== undefined) return found;
    check(status);
    await pause(context, POLL_MS);
  }
}

/** "09:05:03  web/3       healthy on port 20003". */
export function eventLine({ at, subject, event, message }: EventRecord, style: Style): string {
  const who = style.name(subject.padEnd(SUBJECT_WIDTH));
  // The subject stands before it already.
  const text = message.replace(`task ${subject} `, "");
  return `${style.dim(timeOfDay(at))}  ${who}  ${text === "" ? event : text}`;
}

/** Whether an event is about a service or one of its tasks. */
export function isAbout(service: string, { subject }: EventRecord): boolean {
  return subject === service || subject.startsWith(`${service}/`);
}
