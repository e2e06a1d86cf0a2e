/**
 * The folder of a Postgres cluster on one machine: one folder for each server, and what its servers have in common.
 *
 *   cluster.json        passwords, drawn at the first start
 *   members.json        members on other machines, where there are some
 *   NAME/               data, log, sockets of the server NAME
 *   NAME/agent.token    what its agent is asked with
 */
import { randomBytes } from "node:crypto";
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { AgentAddress } from "../database/io/index.ts";

/** Passwords that all servers of a cluster share. */
export interface ClusterPasswords {
  readonly superuser: string;
  readonly replication: string;
}

/** 192 bits: nobody guesses it, and it needs no escape in a URL. */
const SECRET_BYTES = 24;

const PRIVATE_FILE = 0o600;

/** Others may pass, for Postgres' user must get to its server's folder; they may list nothing. */
const PASSABLE = 0o711;

/** Makes the folder and its passwords, unless they are there; `given` are those of data that comes from elsewhere. */
export function prepareClusterFolder(
  folder: string,
  given: Partial<ClusterPasswords> = {},
): ClusterPasswords {
  mkdirSync(folder, { recursive: true });
  chmodSync(folder, PASSABLE);
  if (!hasPasswords(folder)) {
    const passwords = { superuser: secret(), replication: secret(), ...given };
    writeFileSync(join(folder, "cluster.json"), `${JSON.stringify(passwords)}\n`, {
      mode: PRIVATE_FILE,
      flag: "wx",
    });
  }
  return readPasswords(folder);
}

/** Whether its passwords are there. */
export function hasPasswords(folder: string): boolean {
  return existsSync(join(folder, "cluster.json"));
}

/** Throws the system's error when there is no cluster. */
export function readPasswords(folder: string): ClusterPasswords {
  return JSON.parse(readFileSync(join(folder, "cluster.json"), "utf8")) as ClusterPasswords;
}

/** Undefined when there is no cluster: its machine may be lost, and its backups not. */
export function readPasswordsOrNone(folder: string): ClusterPasswords | undefined {
  return existsSync(join(folder, "cluster.json")) ? readPasswords(folder) : undefined;
}

/** The token of a server's agent; made at its first start. The server's folder must be there. */
export function prepareToken(folder: string, server: string): string {
  const path = join(folder, server, "agent.token");
  if (!existsSync(path)) writeFileSync(path, `${secret()}\n`, { mode: PRIVATE_FILE });
  return readFileSync(path, "utf8").trim();
}

/** Names of the servers whose agents have run here. */
export function serversIn(folder: string): string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .filter((name) => existsSync(join(folder, name, "agent.token")))
    .toSorted();
}

/** Where the agent of a server is asked. */
export function agentAddress(folder: string, server: string): AgentAddress {
  return { kind: "unix", path: join(folder, server, "agent.sock") };
}

function secret(): string {
  return randomBytes(SECRET_BYTES).toString("base64url");
}
