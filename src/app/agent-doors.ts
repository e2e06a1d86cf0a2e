/** Where an agent is asked: its socket, for operators of this machine; with members on other machines a port for these. */
import { rmSync } from "node:fs";
import type { Log } from "../base/index.ts";
import type { Order } from "../database/index.ts";
import { AgentServer, type ServedAgent } from "../database/io/index.ts";
import { agentAddress, prepareToken } from "./cluster-folder.ts";
import type { ComposedFailover } from "./database-failover.ts";
import { StartFailure } from "./start-failure.ts";

/** Opens them; with failover orders go to who decides. Throws a `StartFailure` when the port is taken. */
export function openDoors(
  name: string,
  agent: ServedAgent,
  failover: ComposedFailover | undefined,
  { folder, log }: { readonly folder: string; readonly log: Log },
): { stop(): Promise<void> } {
  const address = agentAddress(folder, name);
  if (address.kind === "unix") rmSync(address.path, { force: true }); // of an agent that was killed: the lock is ours
  const token = prepareToken(folder, name);
  if (failover === undefined) return new AgentServer({ agent, address, token, log });
  const served = servedBy(agent, failover);
  const socket = new AgentServer({ ...served, address, token, log });
  const port = failover.port && openPort(served, failover.port, log);
  return {
    stop: async () => {
      await port?.stop();
      await socket.stop();
    },
  };
}

type Served = Pick<ConstructorParameters<typeof AgentServer>[0], "agent" | "member">;

function servedBy(agent: ServedAgent, { driver, token }: ComposedFailover): Served {
  return {
    agent: {
      facts: () => agent.facts(),
      look: () => agent.look(),
      order: (order: Order) => driver.order(order),
    },
    member: {
      token,
      asked: driver.asked.bind(driver),
      switchover: driver.switchover.bind(driver),
      force: driver.force.bind(driver),
    },
  };
}

function openPort(
  served: Served,
  { address, tls }: NonNullable<ComposedFailover["port"]>,
  log: Log,
): AgentServer {
  try {
    return new AgentServer({ ...served, address: { kind: "tcp", ...address }, token: undefined, log, tls });
  } catch (problem) {
    throw new StartFailure(
      `the agent cannot listen on ${address.host}:${address.port}: ${String(problem)}`,
      "stop what uses that port (`ss -ltnp` shows it): an agent has its server's port + 10000",
    );
  }
}
