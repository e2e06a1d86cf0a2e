/** Two Next.js apps, built once, of which a test starts as many instances as it wants; and what they read from. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { freePort } from "../../src/base/testing.ts";
import { docSteps } from "../../tools/doc-commands.ts";

const FOLDER = import.meta.dir;
const GUIDE = join(FOLDER, "../../docs/guide/nextjs.md");
const NEXT = join(FOLDER, "node_modules/next/dist/bin/next");

/** Whether `npm ci --prefix conformance/next` was done, and there is a Node to run it. */
export const isInstalled: boolean = existsSync(NEXT) && Bun.which("node") !== null;

/** `classic`: pages with `revalidate`, fetches with tags. `components`: `cacheComponents` and "use cache". */
export type App = "classic" | "components";

/** What the apps read from: counts what it is asked, and tells the count. */
export interface Origin {
  readonly url: string;
  /** How often a path was asked for. */
  readonly count: (path: string) => number;
  readonly stop: () => void;
}

/** One `next start`. */
export interface Instance {
  readonly url: string;
  /** A page's text, or what it was answered instead: its status. */
  readonly text: (path: string) => Promise<string>;
  /** Has a route handler invalidate. Next.js does it after the response, so that the status does not tell. */
  readonly revalidate: (query: string) => Promise<unknown>;
  readonly stop: () => Promise<unknown>;
}

export function startOrigin(): Origin {
  const counts = new Map<string, number>();
  const server = Bun.serve({
    port: 0,
    fetch: (request) => {
      const { pathname } = new URL(request.url);
      const count = (counts.get(pathname) ?? 0) + 1;
      counts.set(pathname, count);
      return new Response(`${pathname}#${count};`);
    },
  });
  return {
    url: `http://127.0.0.1:${server.port}`,
    count: (path) => counts.get(path) ?? 0,
    stop: () => void server.stop(true),
  };
}

/** Puts `tenfold/next` and `tenfold/session` where the apps import them from, a file each, and the files of the guide where their configs do. */
export async function install(): Promise<void> {
  const [folder, guide] = [join(FOLDER, "node_modules/tenfold"), join(FOLDER, ".next/guide")];
  for (const made of [folder, guide]) mkdirSync(made, { recursive: true });
  const exports = { "./next": "./next.js", "./session": "./session.js" };
  writeFileSync(join(folder, "package.json"), JSON.stringify({ name: "tenfold", type: "module", exports }));
  for (const [part, name] of [
    ["next-cache", "next.js"],
    ["session", "session.js"],
  ] as const) {
    const entrypoint = join(FOLDER, `../../src/${part}/io/index.ts`);
    const { outputs } = await Bun.build({ entrypoints: [entrypoint], target: "node" });
    await Bun.write(join(folder, name), outputs[0] ?? "");
  }
  for (const step of docSteps(readFileSync(GUIDE, "utf8")))
    if (step.kind === "file") writeFileSync(join(guide, step.name), step.text);
}

/** `next build`. @throws Error with what it printed. */
export async function build(app: App, env: Record<string, string>): Promise<void> {
  const child = next(["build", app], env);
  const [printed, code] = await Promise.all([new Response(child.stdout).text(), child.exited]);
  if (code !== 0) throw new Error(`next build ${app} ended with ${code}:\n${printed}`);
}

/** `next start` on a port of its own. Rejects when it ends before it is ready. */
export async function start(app: App, env: Record<string, string>): Promise<Instance> {
  const port = freePort();
  const child = next(["start", app, "--hostname", "127.0.0.1", "--port", String(port)], env);
  const url = `http://127.0.0.1:${port}`;
  for await (const chunk of child.stdout) if (new TextDecoder().decode(chunk).includes("Ready")) break;
  if (child.exitCode !== null) throw new Error(`next start ${app} ended before it was ready`);
  return {
    url,
    text: async (path) => {
      const response = await fetch(url + path);
      return response.ok ? response.text() : String(response.status);
    },
    revalidate: (query) => fetch(`${url}/revalidate?${query}`, { method: "POST" }),
    stop: () => (child.kill("SIGKILL"), child.exited),
  };
}

function next(words: readonly string[], env: Record<string, string>) {
  return Bun.spawn(["node", NEXT, ...words], {
    cwd: FOLDER,
    env: { ...process.env, NODE_ENV: "production", NEXT_TELEMETRY_DISABLED: "1", ...env },
    stdio: ["ignore", "pipe", "ignore"],
  });
}
