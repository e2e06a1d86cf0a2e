/** Requests on their way into a record: room for its head, then RESP. Says SELECT where the database changes. */
import { ReplyWriter } from "../../resp/index.ts";
import type { Arguments } from "../call.ts";
import { RECORD_HEAD_BYTES, sealRecord } from "./record.ts";

/** No request has said which database it is about. */
const NO_DATABASE = -1;

export class Batch {
  readonly #writer = new ReplyWriter();
  #database = NO_DATABASE;

  constructor() {
    this.clear();
  }

  get isEmpty(): boolean {
    return this.#writer.length === RECORD_HEAD_BYTES;
  }

  /** Bytes of the record. */
  get length(): number {
    return this.#writer.length;
  }

  clear(): void {
    this.#writer.clear();
    this.#writer.length = RECORD_HEAD_BYTES;
    this.#database = NO_DATABASE;
  }

  /** Adds a request as it came. */
  addArguments(database: number, { bytes, starts, ends, count }: Arguments): void {
    this.#select(database);
    const writer = this.#writer;
    writer.array(count);
    for (let place = 0; place < count; place++) writer.bulk(bytes, starts[place] ?? 0, ends[place] ?? 0);
  }

  /** Adds a request of texts (Latin-1) and bytes. */
  add(database: number, request: readonly (string | Uint8Array)[]): void {
    this.#select(database);
    const writer = this.#writer;
    writer.array(request.length);
    for (const argument of request) {
      if (typeof argument === "string") writer.bulkText(argument);
      else writer.bulk(argument, 0, argument.length);
    }
  }

  #select(database: number): void {
    if (database === this.#database) return;
    this.#database = database;
    this.#writer.array(2);
    this.#writer.bulkText("SELECT");
    this.#writer.bulkText(String(database));
  }

  /** The record, ready to be written; lent until the next change. */
  seal(): Uint8Array {
    const { bytes, length } = this.#writer;
    sealRecord(bytes, length);
    return bytes.subarray(0, length);
  }
}
