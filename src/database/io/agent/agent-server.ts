/**
 * The agent over HTTP, on a Unix socket or on loopback: `GET /facts`, `POST /orders`. Whoever has the token may end and delete
 * databases: it is compared in constant time, and there is no way without it.
 */
import { equalConstantTime, type Log } from "../../../base/index.ts";
import { parseOrder } from "../../order-codec.ts";
import type { AgentFacts, Order, OrderOutcome } from "../../orders.ts";

/** Where an agent is asked. */
export type AgentAddress =
  | { readonly kind: "unix"; readonly path: string }
  | { readonly kind: "tcp"; readonly host: string; readonly port: number };

/** What is served. */
export interface ServedAgent {
  facts(): AgentFacts;
  order(order: Order): Promise<OrderOutcome>;
}

/** What a server is made of. */
export interface AgentServerParts {
  readonly agent: ServedAgent;
  readonly address: AgentAddress;
  readonly token: string;
  readonly log: Log;
}

/** An order has a few fields. */
const BODY_BYTES_MAX = 16 * 1024;

export class AgentServer {
  readonly #server: { readonly port: number | undefined; stop(closeConnections: boolean): Promise<void> };

  /** Opens it; throws the system's error when the address is taken. */
  constructor({ agent, address, token, log }: AgentServerParts) {
    const options = {
      maxRequestBodySize: BODY_BYTES_MAX,
      fetch: (request: Request, server: Bun.Server<undefined>): Promise<Response> => {
        server.timeout(request, 0); // a clone takes its time
        return respond(request, agent, token);
      },
      error: (problem: Error) => {
        log.error("agent-request-crashed", { error: problem.stack ?? String(problem) });
        return Response.json({ error: "internal" }, { status: 500 });
      },
    };
    this.#server =
      address.kind === "unix"
        ? Bun.serve({ ...options, unix: address.path })
        : Bun.serve({ ...options, hostname: address.host, port: address.port });
  }

  get port(): number | undefined {
    return this.#server.port;
  }

  async stop(): Promise<void> {
    await this.#server.stop(true);
  }
}

async function respond(request: Request, agent: ServedAgent, token: string): Promise<Response> {
  const given = request.headers.get("authorization") ?? "";
  if (!equalConstantTime(`Bearer ${token}`, given)) return refusal(401, "the token is missing or wrong");
  const { pathname } = new URL(request.url);
  if (pathname === "/facts" && request.method === "GET") return Response.json(agent.facts());
  if (pathname !== "/orders" || request.method !== "POST")
    return refusal(404, "there is GET /facts and POST /orders");
  const order = parseOrder(await request.json().catch(() => undefined));
  return order === undefined ? refusal(400, "the body is no order") : Response.json(await agent.order(order));
}

function refusal(status: number, error: string): Response {
  return Response.json({ error }, { status });
}

/** Asks an agent. */
export class AgentClient {
  readonly #address: AgentAddress;
  readonly #token: string;

  constructor(address: AgentAddress, token: string) {
    this.#address = address;
    this.#token = token;
  }

  /** What the agent knows; rejects when it cannot be reached within `timeoutMs`. */
  async facts(timeoutMs: number): Promise<AgentFacts> {
    return (await this.#ask("/facts", { signal: AbortSignal.timeout(timeoutMs) })) as AgentFacts;
  }

  /** Has an order carried out; resolves when it is, and rejects when nobody knows what became of it. */
  async order(order: Order, timeoutMs?: number): Promise<OrderOutcome> {
    const signal = timeoutMs === undefined ? {} : { signal: AbortSignal.timeout(timeoutMs) };
    return (await this.#ask("/orders", {
      ...signal,
      method: "POST",
      body: JSON.stringify(order),
    })) as OrderOutcome;
  }

  async #ask(path: string, init: RequestInit): Promise<unknown> {
    const address = this.#address;
    const isUnix = address.kind === "unix";
    const origin = isUnix ? "http://agent" : `http://${address.host}:${address.port}`;
    const response = await fetch(`${origin}${path}`, {
      ...init,
      headers: { authorization: `Bearer ${this.#token}` },
      ...(isUnix ? { unix: address.path } : {}),
    });
    const body = (await response.json()) as { readonly error?: string };
    if (!response.ok)
      throw new Error(`the agent answers ${response.status}: ${body.error ?? "no reason given"}`);
    return body;
  }
}
