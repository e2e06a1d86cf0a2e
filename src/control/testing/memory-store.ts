/** A state store in memory: the same rules as the journal's, without a disk. */
import { KeySpace } from "../key-space.ts";
import type { Expected, StateStore, WriteResult } from "../state-store.ts";

/** A store over `space`; opening another one over the same space finds what the first one wrote. */
export function memoryStore(space: KeySpace = new KeySpace()): StateStore {
  const write = async (key: string, value: string | undefined, expected: Expected): Promise<WriteResult> => {
    const planned = space.plan(key, value, expected);
    if (planned.kind === "settled") return planned.result;
    space.apply(planned.record);
    return { kind: "done", revision: planned.record.revision };
  };
  return {
    get: async (key) => space.get(key),
    list: async (prefix) => ({ entries: space.list(prefix), revision: space.revision }),
    put: write,
    delete: (key, expected) => write(key, undefined, expected),
    watch: (prefix, fromRevision, onChange) => space.watch(prefix, fromRevision, onChange),
    close: async () => {},
  };
}
