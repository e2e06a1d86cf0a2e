/** The other members' agents: where they are asked, over the protocol of agents, with the cluster's token. */
import type { TlsIdentity } from "../../../base/io/index.ts";
import type { Answer, Question } from "../../failover/questions.ts";
import { type AgentAddress, AgentClient } from "../agent/agent-server.ts";

/** Asks members. */
export interface Peers {
  /** The answer, or undefined when there is none; never rejects. */
  ask(to: string, from: string, question: Question): Promise<Answer | undefined>;
}

/** A vote may have to wait until a server is off its primary; a later answer would be to an older question. */
const ASK_TIMEOUT_MS = 3_500;

/** Peers by their agents' addresses; with `tls` where that is a port. */
export function peersAt(
  addresses: ReadonlyMap<string, AgentAddress>,
  token: string,
  tls?: TlsIdentity,
): Peers {
  const clients = new Map(
    [...addresses].map(([name, address]) => [name, new AgentClient(address, token, tls)]),
  );
  return {
    async ask(to, from, question) {
      return clients
        .get(to)
        ?.ask({ from, question }, ASK_TIMEOUT_MS)
        .catch(() => undefined);
    },
  };
}
