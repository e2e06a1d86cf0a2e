/** What `tenfold top` remembers between two looks, and what a key makes of it. */
import type { EventRecord } from "../app/index.ts";
import type { AdminClient } from "./admin-client.ts";
import { ControllerAway } from "./failure.ts";
import { type Page, type Reading, SORTS, type Sort, type TopView } from "./render/top.ts";

/** The last two readings, the last events, and what the person chose. */
export interface TopState {
  readonly reading: Reading;
  readonly previous: Reading | undefined;
  readonly events: readonly EventRecord[];
  /** Since when the controller is not reached. */
  readonly awaySinceMs: number | undefined;
  readonly paused: boolean;
  readonly sort: Sort;
  readonly page: Page;
  readonly quit: boolean;
}

/** Events kept: more rows than a screen has. */
const EVENTS_MAX = 100;

/**
 * Looks once. When the controller is away the last reading stays, and it is noted since when; the first look fails
 * with why there is nothing to show.
 */
export async function read(
  client: AdminClient,
  wallMs: number,
  last: TopState | undefined,
): Promise<TopState> {
  try {
    const status = await client.status();
    // A new controller counts its events anew.
    const isSame = last?.reading.status.controller.pid === status.controller.pid;
    const known = isSame && last !== undefined ? last.events : [];
    const events = [...known, ...(await client.events(known.at(-1)?.number ?? 0))].slice(-EVENTS_MAX);
    const { paused = false, sort = "name", page = "all", quit = false } = last ?? {};
    const reading = { status, wallMs };
    return { reading, previous: last?.reading, events, awaySinceMs: undefined, paused, sort, page, quit };
  } catch (problem) {
    if (!(problem instanceof ControllerAway) || last === undefined) throw problem;
    return { ...last, awaySinceMs: last.awaySinceMs ?? wallMs };
  }
}

/** Ctrl-C arrives as a key while the terminal gives each key as it is pressed. */
const CTRL_C = "\x03";

/** The state after a key; one that means nothing changes nothing. */
export function press(state: TopState, key: string): TopState {
  switch (key) {
    case "q":
    case CTRL_C:
      return { ...state, quit: true };
    case "p":
      return { ...state, paused: !state.paused };
    case "s":
      return { ...state, sort: SORTS[(SORTS.indexOf(state.sort) + 1) % SORTS.length] ?? "name" };
    case "c":
      return { ...state, page: state.page === "all" ? "cache" : "all" };
    default:
      return state;
  }
}

/** What there is to paint. */
export function viewOf({ reading, previous, events, awaySinceMs, paused, sort, page }: TopState): TopView {
  return {
    reading,
    events,
    paused,
    sort,
    page,
    ...(previous === undefined ? {} : { previous }),
    ...(awaySinceMs === undefined ? {} : { awaySinceMs }),
  };
}
