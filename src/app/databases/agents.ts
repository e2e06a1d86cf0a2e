/** The agents of a cluster's folder, asked all at once. */
import type { AgentFacts } from "../../database/index.ts";
import { AgentClient } from "../../database/io/index.ts";
import { agentAddress, prepareToken, serversIn } from "../cluster-folder.ts";

/** A server of the folder; no facts: its agent does not answer. */
export interface AskedServer {
  readonly name: string;
  readonly client: AgentClient;
  readonly facts: AgentFacts | undefined;
}

/** Asks them; `fresh`: they ask their servers first. */
export function askAgents(folder: string, timeoutMs: number, fresh = false): Promise<AskedServer[]> {
  return Promise.all(
    serversIn(folder).map(async (name) => {
      const client = new AgentClient(agentAddress(folder, name), prepareToken(folder, name));
      const facts = await client.facts(timeoutMs, fresh).catch(() => undefined);
      return { name, client, facts };
    }),
  );
}
