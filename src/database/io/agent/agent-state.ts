/** What an agent must not forget: on disk before it acts on it. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { writeFileAtomic } from "../../../base/io/index.ts";
import { isSystemError } from "../server/problem.ts";

/** The agent's memory. */
export interface AgentMemory {
  /** Of its last promotion or lease. */
  readonly term: number;
  /** It has been given a lease once: from then on it is a primary with a lease only. */
  readonly needsLease: boolean;
}

/** What an agent knows before its first order. */
export const NEW_MEMORY: AgentMemory = { term: 0, needsLease: false };

/** Reads it; a folder without one has a new agent. A damaged one rejects: guessing a term could make two primaries. */
export async function readMemory(folder: string): Promise<AgentMemory> {
  try {
    const { term, needsLease } = JSON.parse(
      await readFile(join(folder, "agent.json"), "utf8"),
    ) as Partial<AgentMemory>;
    if (typeof term === "number" && typeof needsLease === "boolean") return { term, needsLease };
  } catch (problem) {
    if (isSystemError(problem, "ENOENT")) return NEW_MEMORY;
    throw new Error(
      `${folder}/agent.json cannot be read: restore it, or delete it when no other server of the cluster was promoted`,
      { cause: problem },
    );
  }
  throw new Error(
    `${folder}/agent.json is damaged: restore it, or delete it when no other server of the cluster was promoted`,
  );
}

/** Keeps it, durably. */
export function writeMemory(folder: string, memory: AgentMemory): Promise<void> {
  return writeFileAtomic(join(folder, "agent.json"), JSON.stringify(memory), 0o600);
}
