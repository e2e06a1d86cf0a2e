/** Paths of a config, resolved against its folder. Our own few lines, so that the config also loads in a browser. */

/** `path` as an absolute one, "." and ".." taken out; `folder` is absolute. POSIX, as every path in a config. */
export function resolvePath(folder: string, path: string): string {
  const parts: string[] = [];
  for (const part of (path.startsWith("/") ? path : `${folder}/${path}`).split("/")) {
    if (part === "..") parts.pop();
    else if (part !== "" && part !== ".") parts.push(part);
  }
  return `/${parts.join("/")}`;
}
