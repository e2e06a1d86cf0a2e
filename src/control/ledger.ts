/** The controller's records in the state store: one key per service and task, and the number of the last snapshot. */
import type { Service } from "./service.ts";
import type { StateStore } from "./state-store.ts";
import type { Task } from "./task.ts";

/** Layout of the records below; a store of a later layout is refused, never misread. */
const FORMAT = "1";

const SERVICE = "service/";
const TASK = "task/";
const SNAPSHOT = "meta/snapshot-revision";
const DRAINED = "meta/drained-targets";
const FORMAT_KEY = "meta/format";

/** Everything that is on record. */
export interface Records {
  readonly services: readonly Service[];
  readonly tasks: readonly Task[];
  readonly snapshotRevision: number;
  /** Targets taken out by hand, as "group address". */
  readonly drained: readonly string[];
}

/** Reads and writes records. One controller writes at a time (it holds the lock), so writes are unconditional. */
export class Ledger {
  readonly #store: StateStore;

  constructor(store: StateStore) {
    this.#store = store;
  }

  /** All records. Rejects when they are of a layout that this version does not know. */
  async load(): Promise<Records> {
    const format = await this.#store.get(FORMAT_KEY);
    if (format !== undefined && format.value !== FORMAT) {
      throw new Error(
        `the state is of format ${format.value} and this version reads ${FORMAT}: use the version that wrote it`,
      );
    }
    if (format === undefined) await this.#store.put(FORMAT_KEY, FORMAT, "any");
    const revision = await this.#store.get(SNAPSHOT);
    const drained = await this.#store.get(DRAINED);
    return {
      services: await this.#all<Service>(SERVICE),
      tasks: await this.#all<Task>(TASK),
      snapshotRevision: Number(revision?.value ?? 0),
      drained: drained === undefined ? [] : (JSON.parse(drained.value) as string[]),
    };
  }

  /** Checked by the journal's checksums and the format above, so that the shape need not be checked again. */
  async #all<T>(prefix: string): Promise<T[]> {
    const { entries } = await this.#store.list(prefix);
    return entries.map((entry) => JSON.parse(entry.value) as T);
  }

  async putService(name: string, service: Service): Promise<void> {
    await this.#store.put(SERVICE + name, JSON.stringify(service), "any");
  }

  async deleteService(name: string): Promise<void> {
    await this.#store.delete(SERVICE + name, "any");
  }

  async putTask(task: Task): Promise<void> {
    await this.#store.put(TASK + task.id, JSON.stringify(task), "any");
  }

  async deleteTask(id: string): Promise<void> {
    await this.#store.delete(TASK + id, "any");
  }

  async putSnapshotRevision(revision: number): Promise<void> {
    await this.#store.put(SNAPSHOT, String(revision), "any");
  }

  async putDrained(drained: readonly string[]): Promise<void> {
    await this.#store.put(DRAINED, JSON.stringify(drained), "any");
  }
}
