/** The agents of a cluster's folder, asked all at once. */
import type { AgentFacts } from "../../database/index.ts";
import { AgentClient } from "../../database/io/index.ts";
import { agentAddress, prepareToken, serversIn } from "../cluster-folder.ts";
import { membersElsewhere } from "../cluster-members.ts";

/** A server of the folder; no facts: its agent does not answer. */
export interface AskedServer {
  readonly name: string;
  /** On this machine: it takes orders, and its data can be read. */
  readonly isHere: boolean;
  readonly client: AgentClient;
  readonly facts: AgentFacts | undefined;
}

/** Asks them, and those of members on other machines; `fresh`: they ask their servers first. */
export function askAgents(folder: string, timeoutMs: number, fresh = false): Promise<AskedServer[]> {
  const here = serversIn(folder).map((name) => ({
    name,
    isHere: true,
    client: new AgentClient(agentAddress(folder, name), prepareToken(folder, name)),
  }));
  const elsewhere = [...membersElsewhere(folder)].map(([name, client]) => ({ name, isHere: false, client }));
  const all = [...here, ...elsewhere].toSorted((a, b) => (a.name < b.name ? -1 : 1));
  return Promise.all(
    all.map(async (server) => {
      const facts = await server.client.facts(timeoutMs, fresh).catch(() => undefined);
      return { ...server, facts };
    }),
  );
}
