/**
 * The transactional outbox: events that are written in the user's transaction, and so exist exactly when it commits.
 *
 * Events of one key are delivered in the order in which their transactions committed. For that `add` takes an advisory lock on the key
 * before it takes a number, until the transaction ends: so a number that is lower was committed earlier. Transactions on one key wait for
 * each other from `add` on; call it late.
 */
import { ensureSchema, type PostgresSchema } from "../../postgres/io/index.ts";
import { runnerOf, type Tx } from "../tx.ts";
import { type OpenOptions, whenThere } from "./opening.ts";
import { asDriver, type OpenPool, openPool, type PoolInput } from "./pool.ts";
import { Relay, type RelayOptions, type Topics } from "./relay.ts";

/** What happened. */
export interface OutboxEvent {
  /** Who it is for: names a handler of the relay. */
  readonly topic: string;
  /** Events of a topic with one key are delivered in order. Without: in any. */
  readonly key?: string;
  /** JSON. */
  readonly payload: unknown;
}

/** Events and parked ones, per topic. */
export interface OutboxStats {
  readonly waiting: number;
  readonly parked: number;
  readonly oldestMs: number;
}

const SCHEMA: PostgresSchema = {
  part: "outbox",
  readableFrom: 1,
  steps: [
    `CREATE TABLE tenfold.outbox (
       id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
       topic text NOT NULL, key text, payload jsonb NOT NULL,
       created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
       attempts integer NOT NULL DEFAULT 0, due_at timestamptz, parked_at timestamptz, error jsonb);
     CREATE INDEX outbox_failed ON tenfold.outbox (topic, key) WHERE attempts > 0`,
  ],
};

/** Advisory locks of two numbers are apart from those of one; the first spells "tnfo". */
const LOCK = 0x74_6e_66_6f;

/** Locks in one order, so that two transactions do not wait for each other's keys; numbers after the locks. */
const ADD_SQL = `WITH events AS MATERIALIZED (
    SELECT * FROM ROWS FROM (jsonb_to_recordset($1::jsonb) AS (topic text, key text, payload jsonb))
      WITH ORDINALITY AS e(topic, key, payload, at)
  ), locks AS MATERIALIZED (
    SELECT count(pg_advisory_xact_lock(${LOCK}, lock)) AS taken FROM (
      SELECT DISTINCT hashtext(topic || chr(1) || key) AS lock FROM events WHERE key IS NOT NULL ORDER BY lock) AS wanted
  )
  INSERT INTO tenfold.outbox (topic, key, payload)
  SELECT topic, key, payload FROM locks, events ORDER BY at`;

const PAYLOAD_MAX = 1 << 20;

/** The outbox of a database. Open it with `openOutbox`. */
export class Outbox {
  readonly #pool: OpenPool;
  readonly #relays = new Set<Relay>();

  constructor(pool: OpenPool) {
    this.#pool = pool;
  }

  /** Makes its table where it is missing. */
  async prepare(): Promise<void> {
    const client = await this.#pool.pool.connect();
    try {
      await ensureSchema(asDriver(client), SCHEMA);
    } finally {
      client.release();
    }
  }

  /** Adds events in the transaction of `tx`: one statement. Rejects when a payload is no JSON or over 1 MiB. */
  async add(tx: Tx, events: OutboxEvent | readonly OutboxEvent[]): Promise<void> {
    const list = (Array.isArray(events) ? events : [events]) as readonly OutboxEvent[];
    const texts = list.map(({ topic, key = null, payload }) => {
      const text = JSON.stringify(payload) as string | undefined;
      if (text === undefined) throw new TypeError(`topic "${topic}": the payload is no JSON`);
      if (text.length > PAYLOAD_MAX) throw new TypeError(`topic "${topic}": the payload is over 1 MiB`);
      return `{"topic":${JSON.stringify(topic)},"key":${JSON.stringify(key)},"payload":${text}}`;
    });
    if (texts.length > 0) await runnerOf(tx).executeSql(ADD_SQL, [`[${texts.join(",")}]`]);
  }

  /** Delivers events from here. Any number of processes may: one does at a time, another takes over when it is gone. */
  relay(topics: Topics, options: RelayOptions = {}): Relay {
    const relay = new Relay(this.#pool.pool, topics, options);
    this.#relays.add(relay);
    return relay;
  }

  /** How much waits. */
  async stats(): Promise<OutboxStats> {
    const { rows } = await this.#pool.pool.query(
      `SELECT count(*) FILTER (WHERE parked_at IS NULL)::int AS waiting,
         count(*) FILTER (WHERE parked_at IS NOT NULL)::int AS parked,
         coalesce(extract(epoch FROM clock_timestamp() - min(created_at) FILTER (WHERE parked_at IS NULL)) * 1000, 0)::float
           AS "oldestMs"
       FROM tenfold.outbox`,
    );
    return rows[0] as OutboxStats;
  }

  /** Has parked events of a topic delivered after all. Gives how many. */
  async redrive(topic: string): Promise<number> {
    const { rows } = await this.#pool.pool.query(
      `UPDATE tenfold.outbox SET parked_at = NULL, attempts = 0, due_at = NULL
       WHERE topic = $1 AND parked_at IS NOT NULL RETURNING id`,
      [topic],
    );
    return rows.length;
  }

  /** Stops its relays, each after what it delivers now. */
  async close(): Promise<void> {
    await Promise.all([...this.#relays].map((relay) => relay.stop()));
    await this.#pool.end();
  }
}

/** Opens the outbox and makes its table. Waits up to `hold` for a database that is not there yet, then rejects. */
export async function openOutbox(options: PoolInput & OpenOptions): Promise<Outbox> {
  return whenThere(options, () => openOnce(options));
}

async function openOnce(input: PoolInput): Promise<Outbox> {
  const pool = openPool(input);
  const outbox = new Outbox(pool);
  try {
    await outbox.prepare();
  } catch (error) {
    await pool.end();
    throw error;
  }
  return outbox;
}
