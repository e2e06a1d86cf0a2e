/**
 * The agent over HTTP, on a Unix socket or a port: `GET /facts` (`?fresh` asks the server first), `POST /orders`; with failover also
 * `POST /questions` of other members, `POST /switchover` and `POST /force`. Whoever has the token may end and delete databases: it is
 * compared in constant time, and there is no way without it. The token that members share opens facts, questions and the
 * switchover alone. A port that other machines reach is given TLS by whoever opens it: both ends show a certificate of one CA.
 */
import { equalConstantTime, type Log } from "../../../base/index.ts";
import type { TlsIdentity } from "../../../base/io/index.ts";
import { formatAddress } from "../../../config/index.ts";
import { type AskedQuestion, encodeAnswer, parseAnswer, parseAsked } from "../../failover/question-codec.ts";
import type { Answer, Question } from "../../failover/questions.ts";
import type { SwitchoverOutcome } from "../../failover/status.ts";
import { parseOrder } from "../../order-codec.ts";
import type { AgentFacts, Order, OrderOutcome } from "../../orders.ts";

/** Where an agent is asked. */
export type AgentAddress =
  | { readonly kind: "unix"; readonly path: string }
  | { readonly kind: "tcp"; readonly host: string; readonly port: number };

/** What is served. */
export interface ServedAgent {
  facts(): AgentFacts;
  /** Asks the server how it is. */
  look(): Promise<unknown>;
  order(order: Order): Promise<OrderOutcome>;
}

/** What a member of a cluster with failover serves as well. */
export interface ServedMember {
  /** What other members ask with. */
  readonly token: string;
  asked(from: string, question: Question): Promise<Answer | undefined>;
  switchover(to: string): Promise<SwitchoverOutcome>;
  /** Why not; undefined when it is done. */
  force(): Promise<string | undefined>;
}

/** What a server is made of. */
export interface AgentServerParts {
  readonly agent: ServedAgent;
  readonly address: AgentAddress;
  /** An operator's; undefined = only members are served here. */
  readonly token: string | undefined;
  readonly log: Log;
  readonly member?: ServedMember;
  /** Of a port; clients without a certificate of its `clientCa` stay out. Default: plain HTTP. */
  readonly tls?: TlsIdentity | undefined;
}

/** Its agent has an answer before. */
const SWITCHOVER_TIMEOUT_MS = 30_000;

/** An order has a few fields. */
const BODY_BYTES_MAX = 16 * 1024;

export class AgentServer {
  readonly #server: { readonly port: number | undefined; stop(closeConnections: boolean): Promise<void> };

  /** Opens it; throws the system's error when the address is taken. */
  constructor({ agent, address, token, log, member, tls }: AgentServerParts) {
    const options = {
      maxRequestBodySize: BODY_BYTES_MAX,
      fetch: (request: Request, server: Bun.Server<undefined>): Promise<Response> => {
        server.timeout(request, 0); // a clone takes its time
        return respond(request, { agent, token, member });
      },
      error: (problem: Error) => {
        log.error("agent-request-crashed", { error: problem.stack ?? String(problem) });
        return Response.json({ error: "internal" }, { status: 500 });
      },
    };
    this.#server =
      address.kind === "unix"
        ? Bun.serve({ ...options, unix: address.path })
        : Bun.serve({ ...options, hostname: address.host, port: address.port, ...servedTls(tls) });
  }

  get port(): number | undefined {
    return this.#server.port;
  }

  async stop(): Promise<void> {
    await this.#server.stop(true);
  }
}

function servedTls(tls: TlsIdentity | undefined): { readonly tls?: Bun.TLSOptions } {
  if (tls === undefined) return {};
  const { cert, key, clientCa: ca } = tls;
  return {
    tls: { cert, key, requestCert: true, rejectUnauthorized: true, ...(ca === undefined ? {} : { ca }) },
  };
}

interface Served {
  readonly agent: ServedAgent;
  readonly token: string | undefined;
  readonly member: ServedMember | undefined;
}

async function respond(request: Request, { agent, token, member }: Served): Promise<Response> {
  const given = request.headers.get("authorization") ?? "";
  const isOperator = token !== undefined && equalConstantTime(`Bearer ${token}`, given);
  const isMember = member !== undefined && equalConstantTime(`Bearer ${member.token}`, given);
  if (!isOperator && !isMember) return refusal(401, "the token is missing or wrong");
  const { pathname, searchParams } = new URL(request.url);
  if (pathname === "/facts" && request.method === "GET") {
    if (searchParams.has("fresh")) await agent.look();
    return Response.json(agent.facts());
  }
  if (member !== undefined && request.method === "POST") {
    if (pathname === "/questions") return respondToMember(request, member);
    if (pathname === "/switchover") return switchOver(request, member);
    if (isOperator && pathname === "/force")
      return Response.json({ problem: (await member.force()) ?? null });
  }
  if (!isOperator) return refusal(403, "orders are given on the server's own machine");
  if (pathname !== "/orders" || request.method !== "POST")
    return refusal(404, "there is GET /facts and POST /orders");
  const order = parseOrder(await request.json().catch(() => undefined));
  return order === undefined ? refusal(400, "the body is no order") : Response.json(await agent.order(order));
}

async function respondToMember(request: Request, member: ServedMember): Promise<Response> {
  const asked = parseAsked(await request.json().catch(() => undefined));
  if (asked === undefined) return refusal(400, "the body is no question");
  const answer = await member.asked(asked.from, asked.question);
  return Response.json({ answer: answer === undefined ? null : encodeAnswer(answer) });
}

async function switchOver(request: Request, member: ServedMember): Promise<Response> {
  const body = (await request.json().catch(() => undefined)) as { readonly to?: unknown } | undefined;
  return typeof body?.to === "string"
    ? Response.json(await member.switchover(body.to))
    : refusal(400, "the body names no server to switch over to");
}

function refusal(status: number, error: string): Response {
  return Response.json({ error }, { status });
}

/** Asks an agent. */
export class AgentClient {
  readonly #address: AgentAddress;
  readonly #token: string;
  readonly #tls: TlsIdentity | undefined;

  /** `tls`: what is shown to an agent's port, and the CA of its own certificate; default: plain HTTP. */
  constructor(address: AgentAddress, token: string, tls?: TlsIdentity) {
    this.#address = address;
    this.#token = token;
    this.#tls = tls;
  }

  /** What the agent knows, or finds out now when it is to be `fresh`; rejects when there is no answer within `timeoutMs`. */
  async facts(timeoutMs: number, fresh = false): Promise<AgentFacts> {
    return (await this.#ask(fresh ? "/facts?fresh" : "/facts", {
      signal: AbortSignal.timeout(timeoutMs),
    })) as AgentFacts;
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

  /** Asks as a member; undefined when it does not know in time. Rejects when there is no answer within `timeoutMs`. */
  async ask(asked: AskedQuestion, timeoutMs: number): Promise<Answer | undefined> {
    const signal = AbortSignal.timeout(timeoutMs);
    const body = JSON.stringify(asked);
    const { answer } = (await this.#ask("/questions", { method: "POST", body, signal })) as {
      readonly answer?: unknown;
    };
    return parseAnswer(answer);
  }

  /** Asks the primary's agent to make `to` the primary. */
  async switchover(to: string): Promise<SwitchoverOutcome> {
    const signal = AbortSignal.timeout(SWITCHOVER_TIMEOUT_MS);
    const body = JSON.stringify({ to });
    return (await this.#ask("/switchover", { method: "POST", body, signal })) as SwitchoverOutcome;
  }

  /** Has its server promoted whatever is lost; returns why not, or null. */
  async force(timeoutMs: number): Promise<string | null> {
    const signal = AbortSignal.timeout(timeoutMs);
    const { problem } = (await this.#ask("/force", { method: "POST", signal })) as { problem: string | null };
    return problem;
  }

  async #ask(path: string, init: RequestInit): Promise<unknown> {
    const address = this.#address;
    const tls = address.kind === "unix" ? undefined : this.#tls;
    const scheme = tls === undefined ? "http" : "https";
    const origin = address.kind === "unix" ? "http://agent" : `${scheme}://${formatAddress(address)}`;
    const response = await fetch(`${origin}${path}`, {
      ...init,
      headers: { authorization: `Bearer ${this.#token}` },
      ...(address.kind === "unix" ? { unix: address.path } : {}),
      ...(tls === undefined ? {} : { tls: { cert: tls.cert, key: tls.key, ca: tls.clientCa } }),
    });
    const body = (await response.json()) as { readonly error?: string };
    if (!response.ok)
      throw new Error(`the agent answers ${response.status}: ${body.error ?? "no reason given"}`);
    return body;
  }
}
