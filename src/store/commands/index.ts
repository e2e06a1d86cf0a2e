/** All commands, one table per family. A new family is one file and one line here. */
import type { CommandTable } from "../command.ts";
import { ACL } from "./acl.ts";
import { BIT_FIELDS } from "./bit-fields.ts";
import { BITS } from "./bits.ts";
import { BLOCKING } from "./blocking.ts";
import { CLIENT } from "./client.ts";
import { CONNECTION } from "./connection.ts";
import { COUNTERS } from "./counters.ts";
import { EXPIRY } from "./expiry.ts";
import { HASHES } from "./hashes.ts";
import { KEYS } from "./keys.ts";
import { LCS } from "./lcs.ts";
import { LEASE_COMMANDS } from "./lease.ts";
import { LISTS } from "./lists.ts";
import { PUBSUB } from "./pubsub.ts";
import { SERVER } from "./server.ts";
import { SETS } from "./sets.ts";
import { SORT } from "./sort.ts";
import { SORTED_ALGEBRA } from "./sorted-algebra.ts";
import { SORTED_RANGES } from "./sorted-ranges.ts";
import { SORTED_SETS } from "./sorted-sets.ts";
import { STRINGS } from "./strings.ts";
import { TRANSACTIONS } from "./transactions.ts";

/** The families. */
export const COMMAND_TABLES: readonly CommandTable[] = [
  STRINGS,
  COUNTERS,
  BITS,
  BIT_FIELDS,
  LCS,
  KEYS,
  EXPIRY,
  HASHES,
  SETS,
  LISTS,
  SORTED_SETS,
  SORTED_RANGES,
  SORTED_ALGEBRA,
  SORT,
  BLOCKING,
  TRANSACTIONS,
  PUBSUB,
  CONNECTION,
  CLIENT,
  ACL,
  LEASE_COMMANDS,
  SERVER,
];
