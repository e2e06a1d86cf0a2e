/** `tenfold assets`: files under names that hold the hash of their content, to be cached for ever. */
import { basename, dirname, join, relative, resolve, sep } from "node:path";
import type { UserRule } from "../../config/index.ts";
import { liesIn, readFolder, writeIfChanged, writeOnce } from "../assets/folder.ts";
import {
  clashOf,
  isPage,
  manifestOf,
  VERSION_PATTERN,
  type VersionedFile,
  versionsOf,
} from "../assets/versions.ts";
import { type Command, defineCommand, JSON_OPTION } from "../command.ts";
import { EXIT, Failure, UsageError } from "../failure.ts";
import { plural } from "../render/figures.ts";

/** Name of the manifest in the folder that is written. */
const MANIFEST = "asset-manifest.json";

/** Writes a folder again with each file also under its version, and says which rule serves them. */
export const assets: Command = defineCommand({
  name: "assets",
  heading: "Change",
  summary: "Give static files names by their content, so that they can be cached for ever",
  usage: ["DIR [--out DIR] [--manifest FILE] [--prefix PATH]"],
  notes: [
    "app.css is written as app.css and as app.HASH.css. References between files, quoted or in url(…), lead to the",
    "versions; those to pages (.html) do not. A file that refers to a changed one changes too, and files that refer",
    "to each other in a circle all change together. Versions of earlier runs stay, for pages that are out already.",
  ],
  positionals: [{ name: "DIR", about: "The folder; hidden files and folders are left out" }],
  options: {
    out: { kind: "text", placeholder: "DIR", about: "Folder to write", fallback: "DIR-versioned" },
    manifest: {
      kind: "text",
      placeholder: "FILE",
      about: "JSON of plain and versioned names",
      fallback: `${MANIFEST} in the folder that is written`,
    },
    prefix: {
      kind: "text",
      placeholder: "PATH",
      about: "Path that the folder is served under; / is the root",
      fallback: "/assets",
    },
    json: JSON_OPTION,
  },
  examples: [
    { line: "tenfold assets public", about: "public-versioned, and the rule that serves it" },
    { line: "tenfold assets dist --out srv --prefix /", about: "A whole site, served at the root" },
  ],
  async run({ words: [word = ""], options }, { cwd, terminal }) {
    const prefix = prefixOf(options.prefix ?? "/assets");
    const places = placesOf(cwd, { ...options, folder: word });
    const files = versionsOf(readFolder(places.folder), prefix);
    if (files.length === 0) throw new Failure(`${word} holds no file`, "name a folder with static files");
    const added = await writeAll(files, places);
    const rule = ruleFor(prefix);
    if (options.json) {
      const { out, manifest } = places;
      terminal.out(JSON.stringify({ out, manifest, files: files.length, new: added, rule }));
      return EXIT.ok;
    }
    const shown = (path: string): string => relative(cwd, path) || ".";
    terminal.out(`${plural(files.length, "file")} in ${shown(places.out)}: ${plural(added, "new version")}`);
    terminal.out(`names in ${shown(places.manifest)}`);
    terminal.out("a rule for the versions, above the one for the rest; web is the group that serves them:");
    for (const line of ruleLines(rule)) terminal.out(`  ${line}`);
    return EXIT.ok;
  },
});

interface Places {
  readonly folder: string;
  readonly out: string;
  readonly manifest: string;
}

function placesOf(
  cwd: string,
  named: { readonly folder: string; readonly out: string | undefined; readonly manifest: string | undefined },
): Places {
  const folder = resolve(cwd, named.folder);
  const out =
    named.out === undefined
      ? join(dirname(folder), `${basename(folder)}-versioned`)
      : resolve(cwd, named.out);
  const manifest = named.manifest === undefined ? join(out, MANIFEST) : resolve(cwd, named.manifest);
  for (const path of [out, manifest]) {
    if (liesIn(path, folder))
      throw new UsageError(`${path} lies in ${folder}`, "write elsewhere: the next run would read it");
  }
  return { folder, out, manifest };
}

/** "/assets" of "/assets/", "" of "/". */
function prefixOf(text: string): string {
  const prefix = text.replace(/\/+$/, "");
  if (/^(?:\/[\w.~-]+)*$/.test(prefix)) return prefix;
  throw new UsageError(`--prefix is "${text}"`, 'write a path such as "/assets", or "/"');
}

/** Versions before what refers to them, pages after that, the manifest last. How many versions are new. */
async function writeAll(files: readonly VersionedFile[], { out, manifest }: Places): Promise<number> {
  const names = liesIn(manifest, out) ? [relative(out, manifest).split(sep).join("/")] : [];
  const clash = clashOf(files, names);
  if (clash !== undefined)
    throw new Failure(`two files would be named ${clash}`, "give one of them another name");
  let added = 0;
  for (const { versioned, bytes } of files) if (await writeOnce(join(out, versioned), bytes)) added++;
  const pagesLast = files.toSorted((a, b) => Number(isPage(a.path)) - Number(isPage(b.path)));
  for (const { path, bytes } of pagesLast) await writeIfChanged(join(out, path), bytes);
  await writeIfChanged(manifest, Buffer.from(manifestOf(files)));
  return added;
}

/** The rule for the versions below a path. */
function ruleFor(prefix: string): UserRule {
  const folder = prefix.replaceAll(".", String.raw`\.`);
  return {
    match: { path: `~ ^${folder}/.+\\.${VERSION_PATTERN}(\\.[^./]+)?$` },
    forward: "web",
    cache: { ttl: "365d", browser: "public, max-age=31536000, immutable" },
  };
}

/** The rule as lines of a config. */
function ruleLines(rule: UserRule): readonly string[] {
  const settings = Object.entries(rule).map(
    ([name, value]) => `  ${JSON.stringify(name)}: ${JSON.stringify(value)}`,
  );
  return ["{", settings.join(",\n  "), "}"];
}
