/** The corpus: every family of raw requests, by name. */
import type { Case } from "./case.ts";
import { CHUNKS } from "./cases/chunks.ts";
import { CONNECTIONS } from "./cases/connections.ts";
import { CONTENT_LENGTH } from "./cases/content-length.ts";
import { FIELDS } from "./cases/fields.ts";
import { HOST_FIELD } from "./cases/host.ts";
import { LIMITS } from "./cases/limits.ts";
import { REQUEST_LINE } from "./cases/request-line.ts";
import { TRANSFER_ENCODING } from "./cases/transfer-encoding.ts";

/** Family -> its cases. */
export const CORPUS: Readonly<Record<string, readonly Case[]>> = {
  "request line": REQUEST_LINE,
  host: HOST_FIELD,
  fields: FIELDS,
  "content length": CONTENT_LENGTH,
  "transfer encoding": TRANSFER_ENCODING,
  chunks: CHUNKS,
  limits: LIMITS,
  connections: CONNECTIONS,
};
