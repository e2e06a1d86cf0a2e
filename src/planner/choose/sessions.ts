/**
 * Sticky or stateless: whether a task may keep something between two requests of one user.
 *
 * A task that keeps it makes every stop of it a loss and every balancer's choice a promise. What keeps nothing pays one
 * look into a shared store for each request.
 */
import { formatNumber } from "../report/unit.ts";
import { question, type Verdict } from "./question.ts";

/** A round trip within a data centre, and its network: 1 Gbit/s for one transfer. */
const ROUND_TRIP_MS = 0.5;
const BYTES_PER_MS = 125_000;

/** A hundredth of the users at once is what one notices. */
const LOST_SHARE = 0.01;

/** Sticky or stateless. */
export const sessions: ReturnType<typeof question> = question({
  asks: "sticky or stateless",
  reads: ["state", "sessionBytes", "cpuMs", "tasks"],
  decide: ({ state, sessionBytes, cpuMs, tasks }): Verdict => {
    const readMs = state === "none" ? 0 : ROUND_TRIP_MS + sessionBytes / BYTES_PER_MS;
    const heavy = state === "session" && readMs >= cpuMs;
    const lost = state === "none" ? 0 : 1 / tasks;
    return {
      ...verdictOf(state, heavy, readMs, lost),
      triggers: [
        {
          kind: "word",
          what: "what a task keeps between requests",
          is: state,
          wanted: "room",
          because: "a room (a game, a call, a document) lives in one process",
        },
        {
          kind: "number",
          key: "sessionRead",
          what: "reading a session from a shared store",
          value: readMs,
          threshold: cpuMs,
          unit: "ms",
          formula: "round trip + size / 1 Gbit/s; nothing without state",
          inputs: [["size", sessionBytes, "bytes"]],
          because: "the CPU of the request itself: reading should not take longer",
        },
        {
          kind: "number",
          key: "sessionsLost",
          what: "users that a stopped task would log out, were it sticky",
          value: lost,
          threshold: LOST_SHARE,
          unit: "share",
          formula: "1 / tasks, at each stop; nothing without state",
          inputs: [["tasks", tasks, "count"]],
          because: "a hundredth at once is noticed, and a deploy stops all tasks",
        },
      ],
    };
  },
});

function verdictOf(state: string, heavy: boolean, readMs: number, lost: number): Omit<Verdict, "triggers"> {
  if (state === "room")
    return {
      choice: "sticky by room",
      answer: "sticky by the room's key (consistent-hash), with drain",
      tradeOff: `a task that dies takes its rooms along, ${formatNumber(lost, "share", 2)} of all; a deploy has to hand them over`,
    };
  if (heavy)
    return {
      choice: "sticky with store",
      answer: "sticky as a shortcut, with the sessions in a shared store",
      tradeOff: `load is as uneven as the users; another task takes over after ${formatNumber(readMs, "ms", 2)}`,
    };
  if (state === "none")
    return {
      choice: "stateless",
      answer: "stateless: there is nothing to keep",
      tradeOff: "none, as long as it stays so",
    };
  return {
    choice: "stateless",
    answer: "stateless, sessions in a shared store",
    tradeOff: `every request reads the store: ${formatNumber(readMs, "ms", 2)}; and the store has to be up`,
  };
}
