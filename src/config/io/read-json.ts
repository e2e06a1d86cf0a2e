/** JSON configs. */
import { parseJson } from "../json.ts";
import type { TextReading } from "./text-reading.ts";

/** Reads JSON; a byte order mark is passed over. */
export function readJson(text: string): TextReading {
  const reading = parseJson(text.replace(/^\uFEFF/, ""));
  if (reading.kind === "ok") return reading;
  return { ...reading, what: `is not JSON: ${reading.what}`, mend: "mend the syntax" };
}
