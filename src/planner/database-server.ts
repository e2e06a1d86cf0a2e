/** What one database server carries. Rules of several questions compare with it; each number is an order of magnitude. */

/**
 * Writes a second of one primary, batched; estimates use the same number. They pass one log, synced for many commits at
 * once: a machine of 16 cores with a disk that syncs in a millisecond does some thousands of small transactions.
 */
export const PRIMARY_WRITES_RPS = 5000;

/**
 * Indexed reads a second of one server, from memory. pgbench's point reads ran at 8,500/s on two cores that the clients
 * shared, and at 100,000/s on a large machine; what apps ask is several times dearer.
 */
export const SERVER_READS_RPS = 20_000;

/** Data that one machine still restores within a night: 10 TB at 300 MB/s are nine hours. */
export const MACHINE_BYTES = 10e12;

/** Share of anything that is planned for: beyond it waits grow faster than load (M/M/1: 3.3 services at 70 %, 10 at 90 %). */
export const BUSY = 0.7;
