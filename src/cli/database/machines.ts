/** What `tenfold db serve` does where the members of a cluster are on several machines. */
import { resolve } from "node:path";
import type { AgentPort, FailoverMember } from "../../app/index.ts";
import { CIDR_MEND, parseCidr } from "../../base/index.ts";
import { formatAddress } from "../../config/index.ts";
import { UsageError } from "../failure.ts";

/** The options that matter between machines. */
export interface MachineOptions {
  readonly "tls-cert": string | undefined;
  readonly "tls-key": string | undefined;
  readonly "tls-ca": string | undefined;
  readonly "insecure-agents": boolean;
  readonly allow: readonly string[];
}

/** An agent's port is its server's and this: Redis' cluster bus does it so, and nobody has to be told. */
const AGENT_PORT_OFFSET = 10_000;
const PORT_MAX = 65_535;

/** Members with ways to their agents. */
export interface Spread {
  readonly members: readonly FailoverMember[];
  /** Of our own agent; undefined: all members are on this machine. */
  readonly port: AgentPort | undefined;
}

/** Where members' hosts differ, those on others than `name`'s are asked at a port. Throws a `UsageError`. */
export function spread(
  members: readonly FailoverMember[],
  name: string,
  options: MachineOptions,
  cwd: string,
): Spread {
  const own = members.find((member) => member.name === name);
  const tls = tlsOf(options, cwd);
  if (own === undefined || members.every(({ address }) => address.host === own.address.host)) {
    if (tls === undefined) return { members, port: undefined };
    throw new UsageError(
      "--tls-cert is for members on several machines",
      "leave it out, or name their hosts",
    );
  }
  if (tls !== undefined && members.some(({ kind }) => kind === "witness"))
    throw new UsageError(
      "--members has a witness, whose log goes without TLS",
      "leave --tls-cert out and write --insecure-agents where nobody else is on the network, or take a third server",
    );
  return {
    members: members.map((member) =>
      member.address.host === own.address.host
        ? member
        : { ...member, agent: { kind: "tcp", ...agentAt(member) } },
    ),
    port: {
      address: agentAt(own),
      insecure: options["insecure-agents"],
      ...(tls === undefined ? {} : { tls }),
    },
  };
}

function agentAt({ address: { host, port } }: FailoverMember): AgentPort["address"] {
  if (port + AGENT_PORT_OFFSET <= PORT_MAX) return { host, port: port + AGENT_PORT_OFFSET };
  throw new UsageError(
    `--members: the agent of ${formatAddress({ host, port })} would listen on port ${port + AGENT_PORT_OFFSET}`,
    `take a port up to ${PORT_MAX - AGENT_PORT_OFFSET}: an agent has its server's and ${AGENT_PORT_OFFSET}`,
  );
}

function tlsOf(options: MachineOptions, cwd: string): AgentPort["tls"] {
  const [cert, key, ca] = [options["tls-cert"], options["tls-key"], options["tls-ca"]];
  if (cert === undefined && key === undefined && ca === undefined) return undefined;
  if (cert === undefined || key === undefined || ca === undefined)
    throw new UsageError(
      "TLS between machines needs a certificate, its key and the CA of all members",
      "write --tls-cert FILE --tls-key FILE --tls-ca FILE",
    );
  return { cert: resolve(cwd, cert), key: resolve(cwd, key), ca: resolve(cwd, ca) };
}

/** Networks whose clients may connect. Throws a `UsageError` for what is none. */
export function networksOf({ allow }: Pick<MachineOptions, "allow">): readonly string[] {
  for (const network of allow)
    if (parseCidr(network) === undefined || !network.includes("/"))
      throw new UsageError(`--allow ${network} is no network`, CIDR_MEND);
  return allow;
}
