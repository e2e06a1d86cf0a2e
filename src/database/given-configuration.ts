/**
 * A postgresql.conf that somebody else wrote, as it goes on below our settings: lines that say where its own files are go, for they are in
 * the data directory from then on; so do those of ours. Pure.
 */
import { writtenValue } from "./server-settings.ts";

/** The access file of a server that was there before: its lines come after ours. */
export const GIVEN_ACCESS_FILE = "pg_hba.given.conf";

/** Settings that say where files are. */
const PLACES: readonly string[] = ["data_directory", "hba_file", "ident_file", "external_pid_file"];

const INCLUDE = /^\s*(include|include_if_exists|include_dir)\s*=?\s*'((?:[^']|'')*)'/i;

/** What a file that another one includes holds; `kind` as it is written there. */
export type ReadIncluded = (kind: string, path: string) => string;

/** The text, with what it includes in its place. Files that are included by those are not looked at. */
export function givenConfiguration(text: string, included: ReadIncluded): string {
  const lines = text.split("\n").flatMap((line) => {
    const [, kind, path] = INCLUDE.exec(line) ?? [];
    if (kind === undefined || path === undefined) return [withoutPlace(line)];
    const held = included(kind.toLowerCase(), path.replaceAll("''", "'"));
    return [`#${line}`, ...held.split("\n").map(withoutPlace)];
  });
  return lines.join("\n");
}

function withoutPlace(line: string): string {
  const [, name = ""] = /^\s*([a-z_]+)\s*[=\s]/i.exec(line) ?? [];
  return PLACES.includes(name.toLowerCase()) ? `#${line}` : line;
}

/** Where a server was started with another configuration than that in its data directory: `postmaster.opts` has its command line. */
export function configurationFile(commandLine: string): string | undefined {
  return /"?config_file=([^"\n]+)"?/.exec(commandLine)?.[1];
}

/** Where a configuration has its other files, by their settings. */
export function placeIn(text: string, name: "hba_file" | "ident_file"): string | undefined {
  return writtenValue(text, name);
}
