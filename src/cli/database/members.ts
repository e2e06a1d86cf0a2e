/** The members of a cluster, as `--members` takes them. */
import { type Address, parseAddress } from "../../config/index.ts";
import { UsageError } from "../failure.ts";

/** One of them. */
export interface NamedAddress {
  readonly name: string;
  readonly address: Address;
  /** Default "data". */
  readonly kind?: "witness";
}

/** Reads "db1=10.0.0.1:5432,w=witness@…"; each has a host and a port. Throws a `UsageError`. */
export function parseMembers(written: string): readonly NamedAddress[] {
  const members = written.split(",").map((pair) => {
    const [, name = "", kind, at = ""] = /^([a-z][a-z0-9-]{0,40})=(witness@)?(.+)$/.exec(pair) ?? [];
    const address = parseAddress(at, "127.0.0.1");
    if (name !== "" && typeof address === "object")
      return { name, address, ...(kind === undefined ? {} : { kind: "witness" as const }) };
    throw new UsageError(`--members: "${pair}" is no server`, "write db1=127.0.0.1:5432,db2=127.0.0.1:5433");
  });
  const twice = members.find(({ name }, at) => members.findIndex((one) => one.name === name) !== at);
  if (twice === undefined) return members;
  throw new UsageError(`--members has ${twice.name} twice`, "give each server a name of its own");
}
