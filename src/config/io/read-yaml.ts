/** YAML configs (1.2 core schema). */
import { parseDocument } from "yaml";
import { positionOf } from "../json.ts";
import type { TextReading } from "./text-reading.ts";

/** Times that aliases may be expanded: for a few shared blocks, not for a billion laughs. */
const ALIASES_MAX = 100;

/** Reads one YAML document. */
export function readYaml(text: string): TextReading {
  try {
    const document = parseDocument(text, { prettyErrors: false });
    const [error] = [...document.errors, ...document.warnings];
    if (!error) return { kind: "ok", value: document.toJS({ maxAliasCount: ALIASES_MAX }) };
    const what = `is not YAML: ${error.message.split("\n")[0]}`;
    return { kind: "wrong", at: positionOf(text, error.pos[0]), what, mend: "mend the syntax" };
  } catch (error) {
    // Too many aliases, or nested so deeply that the parser ran out of stack: neither has a position.
    const what = `is not usable YAML: ${(error as Error).message}`;
    return {
      kind: "wrong",
      at: { line: 1, column: 1 },
      what,
      mend: "write it out, with less nesting and fewer aliases",
    };
  }
}
