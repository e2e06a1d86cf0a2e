/** Finds a command by the bytes of its name, in any case, without making a text of them. */
import { bytesOf } from "../resp/index.ts";
import type { Command, CommandTable } from "./command.ts";

/** Slots; a power of two, far more than there are commands, so that most names are found at once. */
const SLOTS = 2048;

/** Longest name; longer ones are not looked for. */
const NAME_MAX = 32;

export class CommandIndex {
  readonly all: ReadonlyMap<string, Command>;
  /** The name of the command that was found last. */
  name = "";
  readonly #names: (Uint8Array | undefined)[] = Array.from({ length: SLOTS });
  readonly #texts: string[] = Array.from({ length: SLOTS }, () => "");
  readonly #commands: (Command | undefined)[] = Array.from({ length: SLOTS });

  constructor(tables: readonly CommandTable[]) {
    this.all = new Map(tables.flatMap((table) => Object.entries(table)));
    for (const [name, command] of this.all) {
      const bytes = bytesOf(name);
      let slot = hashOf(bytes, 0, bytes.length);
      while (this.#names[slot] !== undefined) slot = (slot + 1) % SLOTS;
      this.#names[slot] = bytes;
      this.#texts[slot] = name;
      this.#commands[slot] = command;
    }
  }

  find(bytes: Uint8Array, start: number, end: number): Command | undefined {
    if (end - start > NAME_MAX) return undefined;
    for (let slot = hashOf(bytes, start, end); ; slot = (slot + 1) % SLOTS) {
      const name = this.#names[slot];
      if (name === undefined) return undefined;
      if (!isSame(name, bytes, start, end)) continue;
      this.name = this.#texts[slot] ?? "";
      return this.#commands[slot];
    }
  }
}

function hashOf(bytes: Uint8Array, start: number, end: number): number {
  let hash = end - start;
  for (let at = start; at < end; at++) hash = Math.imul(hash ^ ((bytes[at] ?? 0) | 0x20), 0x0100_0193);
  return (hash ^ (hash >>> 15)) & (SLOTS - 1);
}

function isSame(name: Uint8Array, bytes: Uint8Array, start: number, end: number): boolean {
  if (name.length !== end - start) return false;
  for (let i = 0; i < name.length; i++) {
    const byte = bytes[start + i] ?? 0;
    const lower = byte >= 65 && byte <= 90 ? byte + 32 : byte;
    if (name[i] !== lower) return false;
  }
  return true;
}
