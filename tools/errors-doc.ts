/**
 * Writes docs/errors.md from the error tables, so that every code the product can answer with is explained.
 *
 * A part registers its table by exporting a const named `SOMETHING_ERRORS` that was built by `defineErrors`. The
 * tables are found by that name in the sources and then loaded, so a new part needs no line here.
 *
 * Usage: bin/bun tools/errors-doc.ts
 */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { isTest, type Repository, readRepository } from "./tidy/repository.ts";

/** Where the document lives. */
export const PATH = "docs/errors.md";

/** A row of a table; the same shape as `ErrorRow` of src/base/errors.ts. */
interface Row {
  readonly status: number;
  readonly fault: string;
  readonly retry: string;
  readonly message: string;
  readonly mend: string;
}

interface Table {
  readonly name: string;
  readonly part: string;
  readonly rows: Readonly<Record<string, Row>>;
}

const INTRODUCTION = `# Errors

Every answer that Tenfold makes by itself carries one of these codes: in its JSON or HTML body, in the access log and in the
metrics. *Fault* says who has to change something: \`downstream\` (the client's side), \`upstream\` (the target's side) or
\`internal\` (Tenfold). *Retry* says whether the same request may be sent again; \`unsent\` means yes if no target has seen it.

This page is generated from the tables in the sources: \`bin/bun tools/errors-doc.ts\`.
`;

/** The whole document for the tables in `repository`. Throws when two tables share a code. */
export async function errorsDocument(repository: Repository, root: string): Promise<string> {
  const tables = await loadTables(repository, root);
  refuseDuplicates(tables);
  const parts = [...new Set(tables.map((table) => table.part))].toSorted();
  const sections = parts.map((part) =>
    section(
      part,
      tables.filter((table) => table.part === part),
    ),
  );
  return [INTRODUCTION, ...sections].join("\n");
}

async function loadTables(repository: Repository, root: string): Promise<Table[]> {
  const found = [...repository.values()]
    .filter((file) => file.path.startsWith("src/") && !isTest(file.path))
    .flatMap((file) => tableNames(file.text).map((name) => ({ name, path: file.path })));
  return Promise.all(
    found.map(async ({ name, path }) => {
      const module = (await import(join(root, path))) as Readonly<
        Record<string, Readonly<Record<string, Row>>>
      >;
      return { name, part: path.split("/")[1] ?? "", rows: module[name] ?? {} };
    }),
  );
}

/** Names of the tables that a source text exports. */
export function tableNames(text: string): string[] {
  return [...text.matchAll(/^export const ([A-Z][A-Z0-9_]*_ERRORS)\b/gm)].map((match) => match[1] ?? "");
}

function refuseDuplicates(tables: readonly Table[]): void {
  const homes = new Map<string, string>();
  for (const { name, rows } of tables) {
    for (const code of Object.keys(rows)) {
      const home = homes.get(code);
      if (home)
        throw new Error(`error code "${code}" is in ${home} and in ${name}: one of them needs another name`);
      homes.set(code, name);
    }
  }
}

function section(part: string, tables: readonly Table[]): string {
  const rows = tables
    .flatMap((table) => Object.entries(table.rows))
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([code, row]) => line(code, row));
  const head = "| Code | Status | Fault | Retry | What happened | Mend |\n|---|---|---|---|---|---|";
  return `## ${part}\n\n${head}\n${rows.join("\n")}\n`;
}

function line(code: string, row: Row): string {
  const cells = [`<a id="${code}"></a>\`${code}\``, row.status, row.fault, row.retry, row.message, row.mend];
  return `| ${cells.map((cell) => String(cell).replace(/\.$/, "").replaceAll("|", "\\|")).join(" | ")} |`;
}

if (import.meta.main) {
  const root = join(import.meta.dir, "..");
  writeFileSync(join(root, PATH), await errorsDocument(readRepository(root), root));
  console.log(`wrote ${PATH}`);
}
