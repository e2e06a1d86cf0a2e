/** What a worker counts of one database, for as long as it lives. All of it only grows. */
export class DatabaseTraffic {
  /** Transactions that ended, those of a single statement included. */
  transactions = 0;
  /** Answers that ended with ReadyForQuery. */
  queries = 0;
  /** Times that a client got a server connection. */
  assignments = 0;
  /** Statements with a name that clients have prepared, in a mode in which they move… */
  clientParses = 0;
  /** …that were prepared on server connections for it… */
  serverParses = 0;
  /** …and their Binds. */
  binds = 0;
  /** Bytes of clients that have logged in. */
  receivedBytes = 0;
  /** Bytes of servers. */
  sentBytes = 0;
  /** From a transaction's first message to its end, by the clock of ticks: right in sum, not singly. */
  transactionMs = 0;
  /** From a query's first message to the end of its answer, by the clock of ticks. */
  queryMs = 0;
  /** Clients' waits for a server connection, those under way left out. */
  waitMs = 0;
}

/** Counts of a database, or their sum over workers. */
export type Traffic = Readonly<DatabaseTraffic>;

/** As it is now. */
export function copyTraffic(of: Traffic): Traffic {
  return combine(of, of, (x) => x);
}

/** Both together. */
export function addTraffic(a: Traffic, b: Traffic): Traffic {
  return combine(a, b, (x, y) => x + y);
}

/** What came between two looks. A worker that was replaced begins anew: nothing is less than none. */
export function trafficSince(now: Traffic, before: Traffic): Traffic {
  return combine(now, before, (x, y) => Math.max(0, x - y));
}

function combine(a: Traffic, b: Traffic, by: (x: number, y: number) => number): Traffic {
  return {
    transactions: by(a.transactions, b.transactions),
    queries: by(a.queries, b.queries),
    assignments: by(a.assignments, b.assignments),
    clientParses: by(a.clientParses, b.clientParses),
    serverParses: by(a.serverParses, b.serverParses),
    binds: by(a.binds, b.binds),
    receivedBytes: by(a.receivedBytes, b.receivedBytes),
    sentBytes: by(a.sentBytes, b.sentBytes),
    transactionMs: by(a.transactionMs, b.transactionMs),
    queryMs: by(a.queryMs, b.queryMs),
    waitMs: by(a.waitMs, b.waitMs),
  };
}
