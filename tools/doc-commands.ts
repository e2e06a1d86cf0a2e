/**
 * Finds what a document promises to run, so that a test can run it.
 *
 * Three kinds of fenced blocks, told apart by their info string; all other blocks are only shown:
 *
 *     ```ts file=tenfold.config.ts     is written to that name in the document's scratch folder
 *     ```sh test                       is run there with bash; it must end with 0
 *     ```text output                   right after it: each line must appear in what was printed, in order
 *
 * In expected output "…" stands for anything within a line. A number from 17000 to 18999 stands for a port: a reader gets
 * the one that is written, a test one that is free.
 */

/** A file to write, or a command to run with what it must print. In the document's order. */
export type DocStep =
  | { readonly kind: "file"; readonly name: string; readonly text: string; readonly line: number }
  | {
      readonly kind: "command";
      readonly script: string;
      readonly output: readonly string[];
      readonly line: number;
    };

const FENCE = /^```([^\n`]*)\n([^]*?)^```[^\S\n]*$/gm;

/** The steps of one Markdown text. */
export function docSteps(markdown: string): DocStep[] {
  const steps: DocStep[] = [];
  for (const match of markdown.matchAll(FENCE)) {
    const [info = "", text = ""] = match.slice(1);
    const line = markdown.slice(0, match.index).split("\n").length;
    const name = /\bfile=(\S+)/.exec(info)?.[1];
    if (name) steps.push({ kind: "file", name, text, line });
    if (/^sh test\b/.test(info)) steps.push({ kind: "command", script: text, output: [], line });
    if (/^text output\b/.test(info)) expectOutput(steps, text);
  }
  return steps;
}

/** A port of a document: what its tests listen on is written as one of these. */
const DOCUMENT_PORT = /\b1[78]\d{3}\b/g;

/** The same document with the ports that `portFor` gives, each the same wherever it is written. */
export function withPorts(markdown: string, portFor: () => number): string {
  const ports = new Map<string, number>();
  const another = (): number => {
    const port = portFor();
    return [...ports.values()].includes(port) ? another() : port;
  };
  return markdown.replace(DOCUMENT_PORT, (written) => {
    const port = ports.get(written) ?? another();
    ports.set(written, port);
    return String(port);
  });
}

/** The first expected line that `printed` lacks, or that comes too early in it; undefined when all are there. */
export function missingLine(printed: string, expected: readonly string[]): string | undefined {
  let from = 0;
  const lines = printed.split("\n");
  return expected.find((line) => {
    const at = lines.findIndex((candidate, index) => index >= from && patternOf(line).test(candidate));
    from = at + 1;
    return at === -1;
  });
}

function expectOutput(steps: DocStep[], text: string): void {
  const last = steps.at(-1);
  if (last?.kind !== "command") throw new Error("a `text output` block follows no `sh test` block");
  const output = text.split("\n").filter((line) => line.trim() !== "");
  steps[steps.length - 1] = { ...last, output };
}

function patternOf(line: string): RegExp {
  const literal = line.trim().replace(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`);
  return new RegExp(`^\\s*${literal.replaceAll("…", ".*").replace(/\s+/g, "\\s+")}\\s*$`);
}
