/**
 * Rules on the documents: links that lead somewhere, examples that are run.
 */
import { posix } from "node:path";
import { isTest, lineAt, type Problem, type Repository } from "./repository.ts";

/** `links`: a relative link points at a file that exists, and at a heading or anchor that it has. */
export function checkLinks(repository: Repository): Problem[] {
  const documents = [...repository.values()].filter((file) => file.path.endsWith(".md"));
  return documents.flatMap((file) =>
    linksOf(file.text).flatMap(({ href, offset }) => {
      const message = linkOffence(repository, file.path, href);
      return message ? [{ rule: "links", path: file.path, line: lineAt(file.text, offset), message }] : [];
    }),
  );
}

/** `examples`: every folder of examples/ is started by a test. */
export function checkExamples(repository: Repository): Problem[] {
  const names = new Set(
    [...repository.keys()].flatMap((path) => /^examples\/([^/]+)\//.exec(path)?.[1] ?? []),
  );
  const tests = [...repository.values()].filter((file) => isTest(file.path));
  return [...names]
    .filter((name) => !tests.some((file) => mentions(file.text, file.path, `examples/${name}`)))
    .map((name) => ({
      rule: "examples",
      path: `examples/${name}`,
      line: 1,
      message: "no test runs this example: an example that is not run stops working",
    }));
}

/** The anchors a document offers: its headings as GitHub slugs them, and explicit `id`s. */
export function anchorsOf(text: string): Set<string> {
  const prose = withoutFences(text);
  const headings = [...prose.matchAll(/^#{1,6}\s+(.+?)\s*$/gm)].map((match) => slug(match[1] ?? ""));
  const ids = [...prose.matchAll(/<a id="([^"]+)">/g)].map((match) => match[1] ?? "");
  return new Set([...headings, ...ids]);
}

function linkOffence(repository: Repository, from: string, href: string): string | undefined {
  if (/^[a-z]+:/i.test(href)) return undefined;
  const [target = "", anchor] = href.split("#");
  const path = target === "" ? from : posix.join(posix.dirname(from), decodeURI(target)).replace(/\/$/, "");
  const file = repository.get(path);
  if (!file && !isFolder(repository, path)) return `links to ${path}, which does not exist`;
  if (anchor === undefined || !file?.path.endsWith(".md") || anchorsOf(file.text).has(anchor))
    return undefined;
  return `links to ${path}#${anchor}, which has no such heading`;
}

function linksOf(text: string): { href: string; offset: number }[] {
  const prose = withoutFences(text).replace(/`[^`\n]*`/g, (code) => " ".repeat(code.length));
  return [...prose.matchAll(/\]\(([^()\s]+)\)/g)].map((match) => ({
    href: match[1] ?? "",
    offset: match.index,
  }));
}

function withoutFences(text: string): string {
  return text.replace(/^(`{3,}|~{3,})[^]*?^\1\s*$/gm, (block) => block.replace(/[^\n]/g, " "));
}

function slug(heading: string): string {
  return heading
    .toLowerCase()
    .replace(/[^\p{L}\p{N}\s_-]/gu, "")
    .replace(/\s/g, "-");
}

function isFolder(repository: Repository, path: string): boolean {
  return path === "." || [...repository.keys()].some((name) => name.startsWith(`${path}/`));
}

function mentions(text: string, path: string, folder: string): boolean {
  return path.startsWith(`${folder}/`) || text.includes(folder);
}
