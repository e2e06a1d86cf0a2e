/** `tenfold top`: what goes on, live. */
import { type AdminClient, adminClient } from "../admin-client.ts";
import { type Command, defineCommand, JSON_OPTION, STATE_OPTION } from "../command.ts";
import { type Context, pause } from "../context.ts";
import { EXIT, UsageError } from "../failure.ts";
import { renderTop } from "../render/top.ts";
import { enterScreen, repaint } from "../screen.ts";
import { findStateDirectory } from "../state-directory.ts";
import { press, read, type TopState, viewOf } from "../top-state.ts";

const REFRESH_MS = 1000;

/** A key is answered this soon. */
const KEY_MS = 50;

/** Live: listeners, groups, targets, rates, latencies, errors with reasons, events. */
export const top: Command = defineCommand({
  name: "top",
  heading: "Look",
  summary: "What goes on, live: requests, latencies, errors with reasons",
  usage: ["[--once] [--json]"],
  notes: [
    "Keys: q quits, p pauses, s sorts targets by name, rate, requests in flight or failures, c shows the cache.",
  ],
  positionals: [],
  options: {
    once: { kind: "flag", about: "One picture, and the end" },
    json: JSON_OPTION,
    state: STATE_OPTION,
  },
  examples: [
    { line: "tenfold top", about: "Until q or Ctrl-C" },
    {
      line: "tenfold top --once --json",
      about: "One reading for a script: what `status --json` says, and the last events",
    },
  ],
  async run({ options }, context) {
    if (options.json && !options.once) throw new UsageError("--json prints one reading", "add --once");
    const client = adminClient(findStateDirectory(context.cwd, options.state));
    const first = await read(client, context.clock.wallMs(), undefined);
    if (!options.once && context.terminal.interactive) return live(context, client, first);
    for (const line of options.json ? [jsonOf(first)] : picture(context, first)) context.terminal.out(line);
    return EXIT.ok;
  },
});

async function live(context: Context, client: AdminClient, first: TopState): Promise<number> {
  const leave = enterScreen(context.terminal);
  let state = first;
  const paint = (): void => repaint(context.terminal, picture(context, state));
  const offs = [
    context.onKey((key) => {
      state = press(state, key);
      paint();
    }),
    context.onSignal("SIGWINCH", paint),
    context.onSignal("SIGTERM", () => {
      state = { ...state, quit: true };
    }),
  ];
  try {
    let readMs = context.clock.nowMs();
    paint();
    while (!state.quit) {
      await pause(context, KEY_MS);
      if (state.quit || state.paused || context.clock.nowMs() - readMs < REFRESH_MS) continue;
      readMs = context.clock.nowMs();
      const next = await read(client, context.clock.wallMs(), state);
      // Keys pressed while the controller was asked count.
      state = { ...next, paused: state.paused, sort: state.sort, page: state.page, quit: state.quit };
      paint();
    }
  } finally {
    for (const off of offs) off();
    leave();
  }
  return EXIT.ok;
}

function picture({ terminal, clock }: Context, state: TopState): string[] {
  const { columns, rows } = terminal.size();
  const screen = { columns, rows: rows - 1, style: terminal.style, wallMs: clock.wallMs() };
  return renderTop(viewOf(state), screen);
}

function jsonOf({ reading, events }: TopState): string {
  return JSON.stringify({ ...reading.status, events });
}
