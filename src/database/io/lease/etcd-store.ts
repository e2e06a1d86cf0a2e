/**
 * A lease store in etcd 3: one key, read linearizably and written by a transaction that compares its mod revision. By the JSON
 * gateway, which every etcd from 3.4 on serves beside gRPC.
 *
 * etcd's own leases are not used: they end by the clock of etcd's leader, in whole seconds, and start anew when that leader
 * changes. Source: etcd API reference, KV.Range and KV.Txn; api-gateway "grpc gateway".
 */
import type { LeaseStore, StoreProblem, StoreReply } from "../../failover/lease-store.ts";
import { type ClusterRecord, encodeRecord, parseRecord } from "../../failover/record.ts";
import type { Stored } from "../../failover/watch.ts";

/** Where etcd is, and as whom. */
export interface EtcdOptions {
  /** "http://10.0.0.1:2379"; the members of one etcd cluster. */
  readonly endpoints: readonly string[];
  /** The key; one for each Postgres cluster. */
  readonly key: string;
  /** A request that takes longer has failed, and the next one goes to the next endpoint. */
  readonly deadlineMs: number;
  readonly user?: { readonly name: string; readonly password: string };
}

/** The part of etcd's answers that is read here. */
interface EtcdAnswer {
  readonly succeeded?: boolean;
  readonly header?: { readonly revision?: string };
  readonly kvs?: readonly { readonly value: string; readonly mod_revision: string }[];
  readonly responses?: readonly { readonly response_range?: Pick<EtcdAnswer, "kvs"> }[];
  readonly token?: string;
  readonly error?: string;
  readonly message?: string;
}

/** gRPC's number for "the token is missing or wrong". */
const UNAUTHENTICATED = 401;

class StoreFailure extends Error {
  readonly reason: StoreProblem;

  constructor(reason: StoreProblem, message: string) {
    super(message);
    this.reason = reason;
  }
}

/** Opens a store; nothing is sent before the first request. */
export class EtcdStore implements LeaseStore {
  readonly #options: EtcdOptions;
  readonly #key: string;
  #endpoint = 0;
  #token: string | undefined;

  constructor(options: EtcdOptions) {
    this.#options = options;
    this.#key = base64(options.key);
  }

  async read(): Promise<StoreReply> {
    return answered(async () => {
      const stored = storedIn(await this.#ask("kv/range", { key: this.#key }));
      return stored === undefined ? EMPTY : { kind: "stored", stored };
    });
  }

  async write(record: ClusterRecord, revision: number): Promise<StoreReply> {
    const key = this.#key;
    const body = {
      compare: [{ key, target: "MOD", result: "EQUAL", mod_revision: String(revision) }],
      success: [{ request_put: { key, value: base64(encodeRecord(record)) } }],
      failure: [{ request_range: { key } }],
    };
    return answered(async () => {
      const answer = await this.#ask("kv/txn", body);
      if (answer.succeeded === true)
        return { kind: "stored", stored: { record, revision: Number(answer.header?.revision) } };
      const stored = storedIn(answer.responses?.[0]?.response_range ?? {});
      return stored === undefined ? EMPTY : { kind: "conflict", stored };
    });
  }

  /** One request to one endpoint: a write is not repeated elsewhere, for it may have happened. */
  async #ask(path: string, body: unknown): Promise<EtcdAnswer> {
    const { user, deadlineMs } = this.#options;
    const signal = AbortSignal.timeout(deadlineMs);
    if (user !== undefined) this.#token ??= await this.#authenticate(user, signal);
    try {
      return await this.#post(path, body, signal);
    } catch (problem) {
      this.#token = undefined; // it may be that of another time
      throw problem;
    }
  }

  async #authenticate(
    user: { readonly name: string; readonly password: string },
    signal: AbortSignal,
  ): Promise<string> {
    const { token } = await this.#post("auth/authenticate", user, signal);
    if (token === undefined) throw new StoreFailure("refused", "etcd gave no token");
    return token;
  }

  async #post(path: string, body: unknown, signal: AbortSignal): Promise<EtcdAnswer> {
    const { endpoints } = this.#options;
    const endpoint = endpoints[this.#endpoint % endpoints.length] ?? "";
    try {
      const response = await fetch(`${endpoint}/v3/${path}`, {
        method: "POST",
        body: JSON.stringify(body),
        headers: this.#token === undefined ? {} : { authorization: this.#token },
        signal,
      });
      const answer = (await response.json()) as EtcdAnswer;
      if (response.ok) return answer;
      const what =
        response.status === UNAUTHENTICATED
          ? "the user or password is wrong"
          : (answer.message ?? answer.error);
      throw new StoreFailure("refused", `${endpoint} answers ${response.status}: ${what}`);
    } catch (problem) {
      this.#endpoint += 1;
      if (problem instanceof StoreFailure) throw problem;
      const isLate = signal.aborted;
      const reason = isLate ? "timeout" : "unreachable";
      throw new StoreFailure(reason, `${endpoint}: ${isLate ? "no answer in time" : messageOf(problem)}`);
    }
  }
}

function messageOf(problem: unknown): string {
  return problem instanceof Error ? problem.message : String(problem);
}

const EMPTY: StoreReply = { kind: "failed", reason: "empty", message: "the key is not there" };

async function answered(ask: () => Promise<StoreReply>): Promise<StoreReply> {
  try {
    return await ask();
  } catch (problem) {
    const reason = problem instanceof StoreFailure ? problem.reason : "corrupt";
    return { kind: "failed", reason, message: messageOf(problem) };
  }
}

function storedIn({ kvs }: Pick<EtcdAnswer, "kvs">): Stored | undefined {
  const entry = kvs?.[0];
  if (entry === undefined) return undefined;
  const record = parseRecord(Buffer.from(entry.value, "base64").toString());
  return { record, revision: Number(entry.mod_revision) };
}

function base64(text: string): string {
  return Buffer.from(text).toString("base64");
}
