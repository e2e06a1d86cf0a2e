/** What a router worker counts. All but the first three only grow. */

export class Counters {
  clients = 0;
  waitingClients = 0;
  servers = 0;
  clientsAccepted = 0;
  clientsRefused = 0;
  loginsFailed = 0;
  /** …whose answer had to wait, for their address has many of them… */
  loginsDelayed = 0;
  /** …and log-ins from there that were refused for it. */
  loginsRefused = 0;
  /** TLS handshakes of clients. */
  handshakesFailed = 0;
  serversOpened = 0;
  serverLoginsFailed = 0;
  serversLost = 0;
  /** Answers that ended with ReadyForQuery. */
  queries = 0;
  /** Times that a client got a server connection. */
  attachments = 0;
  /** …and had to wait for it. */
  waits = 0;
  queueTimeouts = 0;
  pins = 0;
  settingsReplayed = 0;
  statementsPrepared = 0;
  /** Parse messages answered without the server. */
  statementsReused = 0;
  cancels = 0;
  receivedBytes = 0;
  /** Clients that waited while there was no confirmed primary… */
  held = 0;
  /** …and got one… */
  holdsReleased = 0;
  /** …or waited as long as they may… */
  holdsExpired = 0;
  /** …or found the queue full. */
  holdsRefused = 0;
  /** Sent to a primary that was lost before its answer could be trusted. */
  outcomesUnknown = 0;
  /** …of which the next primary said that they were committed… */
  outcomesCommitted = 0;
  /** …or were not. */
  outcomesLost = 0;
  /** Batches that were sent once more. */
  resent = 0;
  /** Open transactions that ended with their primary. */
  transactionsLost = 0;
}
