/** The rules, one row for each question: facts in, verdict out. Thresholds are constants with their argument. */
import type { Facts } from "./facts.ts";
import { reached, type Trigger, type Verdict } from "./verdict.ts";

/** Statements a second that one well-kept Postgres primary writes, batched, on a machine of 16 cores. */
const PRIMARY_WRITES_RPS = 5000;
/** Reads a second of one such server, from memory. */
const SERVER_READS_RPS = 20_000;
/** Data that one machine still backs up and restores within a night. */
const MACHINE_BYTES = 10e12;
/** A table from which an index no longer fits in memory, and of which a vacuum takes hours. */
const TABLE_BYTES = 100e9;
/** Rows looked at for each that is returned: above it an index is missing. */
const SCANNED = 100;
/** Cores that one server has at a price that grows in proportion. */
const BOX_CORES = 32;
/** Above this share of repeated reads a cache takes most of the load. */
const REPEATED = 0.5;
/** Followers beyond which a write to all of their feeds takes longer than anybody waits. */
const FAN_OUT = 10_000;
/** Variation of cost from which taking turns makes queues behind the expensive ones. */
const UNEVEN = 1.5;
/** Three nines are 8.8 h a year: what one server and its repair give. */
const ONE_SERVER = 0.999;
const GRAPH_DEPTH = 3;
/** An age that nobody notices: below it a cache needs to be told of every write. */
const NOTICED_MS = 1000;

/** Name -> rule. A new question is one row. */
export const RULES: Readonly<Record<string, (facts: Facts) => Verdict>> = {
  scaling: ({ readRps, writeRps, cpuMs, availability }) => {
    const cores: Trigger = {
      what: "cores that are busy",
      value: ((readRps + writeRps) * cpuMs) / 1000,
      threshold: BOX_CORES * 0.7,
      unit: "cores",
      because: "32 cores at 70 %: beyond, one machine costs more than its share",
    };
    const wanted: Trigger = {
      what: "availability wanted",
      value: availability,
      threshold: ONE_SERVER + 1e-9,
      unit: "availability",
      because: "three nines are what one server and its repair give",
    };
    const out = reached(cores) || reached(wanted);
    return {
      question: "one bigger server, or several",
      choice: out
        ? `several: ${Math.max(2, Math.ceil(cores.value / (8 * 0.7)) + 1)} servers of 8 cores, one of them to spare`
        : "one bigger server: vertical first",
      triggers: [cores, wanted],
      tradeOff: out
        ? "the app must keep no state of its own, and a balancer stands in front"
        : "when it fails, everything is down until it is repaired",
      otherwise: out
        ? "below both thresholds one server is simpler and cheaper"
        : "start a second one as soon as either threshold is met",
    };
  },
  algorithm: ({ costCv, state, longLived }) => {
    const uneven: Trigger = {
      what: "variation of the cost of requests",
      value: costCv,
      threshold: UNEVEN,
      unit: "ratio",
      because: "from 1.5 on, turns queue behind the expensive ones (M/G/1)",
    };
    const choice =
      state === "room" ? "consistent-hash" : reached(uneven) || longLived ? "least-requests" : "round-robin";
    return {
      question: "balancing algorithm",
      choice,
      triggers: [uneven],
      tradeOff:
        choice === "consistent-hash"
          ? "load is as uneven as the keys; boundedLoad spills over"
          : choice === "least-requests"
            ? "a target that answers errors quickly draws requests: ejection must be on"
            : "slow and fast targets get the same",
      otherwise: "where targets differ in speed: least-response-time",
    };
  },
  sessions: ({ state }) => ({
    question: "sticky or stateless",
    choice: state === "room" ? "sticky by key, with drain" : "stateless, sessions in a shared store",
    triggers: [],
    tradeOff:
      state === "room"
        ? "a task that dies takes its rooms along; a deploy has to hand them over"
        : "every request reads the store: about a millisecond",
    otherwise:
      state === "room"
        ? "when rooms move to a shared store, any task can serve any request"
        : "what one process must hold (a game, a call) needs stickiness",
  }),
  layer: ({ http }) => ({
    question: "layer 4 or 7",
    choice: http ? "layer 7: rules, retries and health by answers" : "layer 4: addresses and ports only",
    triggers: [],
    tradeOff: http
      ? "the balancer reads every request: some ten microseconds of CPU"
      : "no routing by path, no retry, no cache",
    otherwise: "databases and other protocols: layer 4",
  }),
  consistency: ({ money, staleMs }) => {
    const stale: Trigger = {
      what: "age that a reader may not notice",
      value: staleMs,
      threshold: NOTICED_MS,
      unit: "ms",
      because: "below a second somebody sees two answers at once",
    };
    const cp = money || !reached(stale);
    return {
      question: "during a partition: an error (CP) or an old answer (AP)",
      choice: cp ? "CP: refuse what cannot be checked" : "AP: answer from what is there",
      triggers: [stale],
      tradeOff: cp
        ? "the smaller side of a partition does not write"
        : "two sides may say different things until they meet again",
      otherwise: "decide by operation: money, stock and names CP; feeds, counters and presence AP",
    };
  },
  store: ({ joins, graphDepth, writeRps, sizeBytes }) => {
    const depth: Trigger = {
      what: "steps of a graph that one question takes",
      value: graphDepth,
      threshold: GRAPH_DEPTH + 1,
      unit: "count",
      because: "beyond three joins of a table with itself SQL planners guess",
    };
    const writes: Trigger = {
      what: "writes a second",
      value: writeRps,
      threshold: PRIMARY_WRITES_RPS,
      unit: "perSecond",
      because: "one batched primary",
    };
    const size: Trigger = {
      what: "data",
      value: sizeBytes,
      threshold: MACHINE_BYTES,
      unit: "bytes",
      because: "what one machine restores within a night",
    };
    const beyond = reached(writes) || reached(size);
    const choice = reached(depth)
      ? "a graph store for that part"
      : beyond && joins === "none"
        ? "a key-value or wide-column store"
        : "SQL";
    return {
      question: "SQL or another kind of store",
      choice,
      triggers: [depth, writes, size],
      tradeOff:
        choice === "SQL"
          ? "a schema that has to be changed with care"
          : "no joins across it, and fewer promises",
      otherwise: "leave SQL only when a limit that was measured is met, and keys alone are asked for",
    };
  },
  caching: ({ hotShare, staleMs, readRps, writeRps }) => {
    const repeated: Trigger = {
      what: "share of reads of the hot tenth",
      value: hotShare,
      threshold: REPEATED,
      unit: "share",
      because: "below half, most reads miss",
    };
    const reads: Trigger = {
      what: "reads for each write",
      value: writeRps === 0 ? 1e6 : readRps / writeRps,
      threshold: 2,
      unit: "ratio",
      because: "a value should be read again before it changes",
    };
    const stale: Trigger = {
      what: "age that a reader may not notice",
      value: staleMs,
      threshold: NOTICED_MS,
      unit: "ms",
      because: "expiry alone is enough from a second on",
    };
    const worth = reached(repeated) && reached(reads);
    return {
      question: "caching strategy",
      choice: !worth
        ? "no cache"
        : reached(stale)
          ? "cache-aside with expiry"
          : "cache-aside with invalidation on every write",
      triggers: [repeated, reads, stale],
      tradeOff: worth
        ? "a cold cache is a stampede unless misses are coalesced"
        : "every read reaches the database",
      otherwise:
        "write-through where a reader must see his own write; write-behind only where losing the last seconds is allowed",
    };
  },
  fanOut: ({ followersMax }) => {
    const followers: Trigger = {
      what: "followers of the most followed",
      value: followersMax,
      threshold: FAN_OUT,
      unit: "count",
      because: "ten thousand writes of a tenth of a millisecond are a second",
    };
    const mixed = reached(followers);
    return {
      question: "feeds: push on write or pull on read",
      choice: mixed ? "push for most, pull for the few whom many follow" : "push on write",
      triggers: [followers],
      tradeOff: mixed ? "two ways to build one feed" : "a write costs as much as its author has followers",
      otherwise: "when feeds are seldom read: pull",
    };
  },
  database: (facts) => {
    const steps = LADDER.map((step) => ({ ...step, trigger: { ...step, value: step.value(facts) } }));
    const next = steps.find(({ trigger }) => reached(trigger));
    return {
      question: "the database's next step",
      choice: next?.choice ?? "nothing: do not shard, do not partition",
      triggers: steps.map(({ trigger }) => trigger),
      tradeOff: next?.tradeOff ?? "none",
      otherwise:
        "each step before the next, and measured: index, cache, bigger machine, replicas, partition, shard",
    };
  },
};

interface Step extends Omit<Trigger, "value"> {
  readonly choice: string;
  readonly tradeOff: string;
  readonly value: (facts: Facts) => number;
}

/** From the cheapest step to the dearest; the first whose number is met is the next. */
const LADDER: readonly Step[] = [
  {
    choice: "an index",
    tradeOff: "every write keeps it up to date",
    what: "rows looked at for each returned",
    value: ({ rowsScannedPerRow }) => rowsScannedPerRow,
    threshold: SCANNED,
    unit: "count",
    because: "a B-tree finds one of a million in four pages",
  },
  {
    choice: "a cache before it",
    tradeOff: "answers may be old",
    what: "reads that a cache would take, of one server's",
    value: ({ readRps, hotShare }) => (hotShare >= REPEATED ? (readRps * hotShare) / SERVER_READS_RPS : 0),
    threshold: 0.3,
    unit: "share",
    because: "worth it once it frees a third of a server",
  },
  {
    choice: "a bigger machine",
    tradeOff: "its price grows faster than its strength",
    what: "load of one server",
    value: ({ readRps, writeRps }) => readRps / SERVER_READS_RPS + writeRps / PRIMARY_WRITES_RPS,
    threshold: 0.7,
    unit: "share",
    because: "70 % busy is where waits begin to grow",
  },
  {
    choice: "replicas that read",
    tradeOff: "they are a little behind",
    what: "reads of one server's",
    value: ({ readRps }) => readRps / SERVER_READS_RPS,
    threshold: 1,
    unit: "share",
    because: "more than one server reads",
  },
  {
    choice: "partitions of the large table",
    tradeOff: "questions without the partition's key look everywhere",
    what: "data",
    value: ({ sizeBytes }) => sizeBytes,
    threshold: TABLE_BYTES,
    unit: "bytes",
    because: "its indexes no longer fit in memory",
  },
  {
    choice: "shards",
    tradeOff: "joins across shards are slow, transactions across them slower",
    what: "writes of one primary's, or data of one machine's",
    value: ({ writeRps, sizeBytes }) => Math.max(writeRps / PRIMARY_WRITES_RPS, sizeBytes / MACHINE_BYTES),
    threshold: 1,
    unit: "share",
    because: "one primary's writes, or one machine's data",
  },
];
