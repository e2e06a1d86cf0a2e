/**
 * Asks a server which log it has, over one connection of the replication protocol:
 *
 *   IDENTIFY_SYSTEM -> TIMELINE_HISTORY, past the first timeline -> START_REPLICATION where the timeline begins, for its first bytes
 *
 * A user who may not replicate cannot ask so; then only the number of the timeline is known (see `Monitor`).
 */
import { type Credentials, formatLsn } from "../../../pgwire/index.ts";
import { type Identity, readHistory } from "../../reads/identity.ts";
import type { RouterContext } from "./context.ts";
import { type ControlAnswer, ControlConnection, type ControlLoss, MARK_BYTES } from "./control-connection.ts";

/** undefined_file: a segment of the log has been removed. */
const SQLSTATE_FILE_GONE = "58P01";

/** Whom it asks, and what is known already. */
export interface IdentificationParts {
  readonly context: RouterContext;
  readonly address: { readonly host: string; readonly port: number };
  readonly credentials: Credentials;
  /** What it has told since it was started: not asked again while its timeline is the same, if it was all of it. */
  readonly known: Identity | undefined;
  readonly told: (identity: Identity) => void;
  readonly failed: (error: ControlLoss) => void;
}

export class Identification {
  readonly #parts: IdentificationParts;
  readonly #connection: ControlConnection;
  #isOver = false;

  constructor(parts: IdentificationParts) {
    this.#parts = parts;
    this.#connection = new ControlConnection(parts.context, parts.address, parts.credentials, {
      opened: () => this.#ask("IDENTIFY_SYSTEM", (row) => this.#system(row)),
      lost: (error) => this.#failed(error),
    });
  }

  close(): void {
    this.#isOver = true;
    this.#connection.close();
  }

  #system([system, text]: Row): void {
    const { known } = this.#parts;
    const timeline = Number(text);
    if (known?.timeline === timeline && known.system === system && isWhole(known)) return this.#told(known);
    if (system === null || system === undefined || !(timeline > 0)) return this.#failed("lost");
    if (timeline === 1) return this.#told({ timeline, system, history: "" });
    this.#ask(`TIMELINE_HISTORY ${timeline}`, ([, file]) => {
      const { history, fork } = readHistory(file ?? "");
      if (fork === undefined) return this.#told({ timeline, system });
      const start = `START_REPLICATION PHYSICAL ${formatLsn(fork)} TIMELINE ${timeline}`;
      this.#connection.ask(start, (answer) => {
        const mark = markOf(answer);
        // The log of long ago may be gone. That of a server which has just been started or promoted may not be there yet.
        const isGone = "error" in answer && codeOf(answer.error) === SQLSTATE_FILE_GONE;
        if (isGone || mark?.length === MARK_BYTES) this.#told({ timeline, system, history, mark });
        else this.#failed("lost");
      });
    });
  }

  #ask(command: string, answered: (row: Row) => void): void {
    this.#connection.ask(command, (answer) => {
      if ("error" in answer) this.#failed(answer.error);
      else answered(answer.rows[0] ?? []);
    });
  }

  #told(identity: Identity): void {
    if (this.#isOver) return;
    this.close();
    this.#parts.told(identity);
  }
  #failed(error: ControlLoss): void {
    if (this.#isOver) return;
    this.close();
    this.#parts.failed(error);
  }
}

/** The first timeline has no mark. */
function isWhole({ timeline, mark }: Identity): boolean {
  return timeline === 1 || mark !== undefined;
}

function codeOf(error: ControlLoss): string | undefined {
  return typeof error === "object" ? error.code : undefined;
}

type Row = readonly (string | null)[];

function markOf(answer: ControlAnswer): Uint8Array | undefined {
  const [row] = "rows" in answer ? answer.rows : [];
  return typeof row?.[0] === "string" ? Buffer.from(row[0], "base64") : undefined;
}
