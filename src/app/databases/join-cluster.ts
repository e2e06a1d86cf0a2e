/**
 * A server without data becomes a replica by itself: its agent asks the others who is primary and clones that one, in the background.
 */
import type { Cancel } from "../../base/index.ts";
import type { AgentFacts, ServerSource } from "../../database/index.ts";
import type { DatabaseAgent } from "../../database/io/index.ts";
import { askAgents } from "./agents.ts";

/** How often the others are asked while there is no primary. */
const ASK_MS = 500;

/** An agent answers from memory. */
const FACTS_TIMEOUT_MS = 2_000;

/** Facts of another server's agent. */
interface Other {
  readonly name: string;
  readonly facts: AgentFacts;
}

/** Goes on until the server has data; returns what ends that. */
export function joinCluster(agent: DatabaseAgent, folder: string): Cancel {
  const { scheduler, log } = agent.server.options;
  let isOver = false;
  let cancel: Cancel = () => {};
  let last = "";
  const say = (reason: string): void => {
    if (reason !== last) log.info("database-waits", { server: agent.server.name, reason });
    last = reason;
  };
  const attempt = async (): Promise<void> => {
    if (isOver || (await agent.server.hasData())) return;
    const others = await othersOf(folder, agent.server.name);
    const primary = others.find(({ facts }) => facts.state === "running" && facts.view?.role === "primary");
    if (primary === undefined) say("no agent tells of a primary");
    else {
      const term = Math.max(...others.map(({ facts }) => facts.term));
      const outcome = await agent.order({ kind: "reclone", term, source: sourceOf(primary) });
      if (outcome.kind === "done") return;
      say(outcome.message);
    }
    if (!isOver) cancel = scheduler.after(ASK_MS, run);
  };
  const run = (): void => {
    attempt().catch((problem: unknown) => {
      say(String(problem));
      if (!isOver) cancel = scheduler.after(ASK_MS, run);
    });
  };
  run();
  return () => {
    isOver = true;
    cancel();
  };
}

async function othersOf(folder: string, own: string): Promise<Other[]> {
  const all = await askAgents(folder, FACTS_TIMEOUT_MS);
  return all.flatMap(({ name, facts }) => (facts === undefined || name === own ? [] : [{ name, facts }]));
}

function sourceOf({ name, facts }: Other): ServerSource {
  return { name, host: "127.0.0.1", port: facts.port, data: facts.data };
}
