/**
 * What the controller asks an agent: whether it has come up. It has when its server runs, or an order to it is under way, such as the clone of a
 * large primary. From then on the agent is well as long as it answers: how its server is, `tenfold db status` says, and another agent
 * would not mend it.
 */
import type { AgentFacts } from "../../database/index.ts";

/** Answers with 200 and 503 on a port of loopback; returns what ends that. */
export function answerHealth(port: number, facts: () => AgentFacts): () => Promise<void> {
  let hasComeUp = false;
  const server = Bun.serve({
    hostname: "127.0.0.1",
    port,
    fetch: () => {
      const { state, view, order, problem } = facts();
      hasComeUp ||= state === "running" || order !== null;
      const body = { state, role: view?.role ?? null, order: order?.kind ?? null, problem };
      return Response.json(body, { status: hasComeUp ? 200 : 503 });
    },
  });
  return () => server.stop(true);
}
