/** Finding the program of a command, with an error that names what is missing and how to mend it. */
import { accessSync, constants, statSync } from "node:fs";
import { delimiter, resolve } from "node:path";
import type { LaunchProblem } from "../../runtime.ts";

export type ResolvedCommand =
  | { readonly kind: "found"; readonly path: string }
  | { readonly kind: "failed"; readonly reason: LaunchProblem; readonly message: string };

/** The file that `name` means in folder `cwd` with search path `searchPath`. */
export function resolveCommand(name: string, cwd: string, searchPath: string): ResolvedCommand {
  if (kindOf(cwd) !== "folder") {
    return failed("cwd-missing", `the folder ${cwd} does not exist: create it, or mend the service's cwd`);
  }
  return name.includes("/") ? resolvePath(name, cwd) : searchIn(name, cwd, searchPath);
}

function resolvePath(name: string, cwd: string): ResolvedCommand {
  const path = resolve(cwd, name);
  const kind = kindOf(path);
  if (kind === "absent") {
    return failed("command-not-found", `${path} does not exist: mend the command (it starts in ${cwd})`);
  }
  return kind === "folder" || !isExecutable(path) ? notExecutable(path, kind) : { kind: "found", path };
}

function searchIn(name: string, cwd: string, searchPath: string): ResolvedCommand {
  const candidates = searchPath.split(delimiter).map((folder) => resolve(cwd, folder, name));
  const files = candidates.filter((path) => kindOf(path) === "file");
  const path = files.find(isExecutable);
  if (path !== undefined) return { kind: "found", path };
  if (files[0] !== undefined) return notExecutable(files[0], "file");
  return failed("command-not-found", `no program "${name}" in PATH: install it, or give its full path`);
}

function notExecutable(path: string, kind: "file" | "folder"): ResolvedCommand {
  const mend = kind === "folder" ? "it is a folder: name a program" : `make it so: chmod +x ${path}`;
  return failed("command-not-executable", `${path} is not executable: ${mend}`);
}

function failed(reason: LaunchProblem, message: string): ResolvedCommand {
  return { kind: "failed", reason, message };
}

function kindOf(path: string): "file" | "folder" | "absent" {
  try {
    return statSync(path).isDirectory() ? "folder" : "file";
  } catch {
    return "absent";
  }
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
