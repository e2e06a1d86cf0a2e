/** Copies of the app for the tests. */
import { join } from "node:path";

const SERVER = join(import.meta.dir, "server.js");

/** One running copy. */
export interface Copy {
  readonly url: string;
  readonly port: number;
  readonly process: Bun.Subprocess;
}

/** Starts a copy on a free port with this environment; resolves when it listens. */
export async function startCopy(env: Readonly<Record<string, string>>): Promise<Copy> {
  const child = Bun.spawn(["node", SERVER], {
    env: { ...process.env, ...env, PORT: "0" },
    stdout: "pipe",
    stderr: "ignore",
  });
  const { value } = await child.stdout.getReader().read();
  const port = Number(/:(\d+) /.exec(new TextDecoder().decode(value))?.[1]);
  return { url: `http://127.0.0.1:${port}`, port, process: child };
}

/** Asks a copy to shorten a URL. */
export function shorten(copy: { readonly url: string }, url: unknown): Promise<Response> {
  return fetch(`${copy.url}/api/links`, { method: "POST", body: JSON.stringify({ url }) });
}

/** The code in the answer to `shorten`. */
export async function codeOf(created: Response): Promise<string> {
  return ((await created.json()) as { code: string }).code;
}

/** Follows a short link, up to the redirect. */
export const follow = (copy: { readonly url: string }, code: string): Promise<Response> =>
  fetch(`${copy.url}/${code}`, { redirect: "manual" });

/** Opens the live feed; `next` gives its messages in order. */
export async function listen(copy: { readonly port: number }): Promise<{
  readonly next: () => Promise<unknown>;
  readonly closed: Promise<number>;
}> {
  const socket = new WebSocket(`ws://127.0.0.1:${copy.port}/live`);
  const messages: unknown[] = [];
  const wanted: ((message: unknown) => void)[] = [];
  socket.addEventListener("message", ({ data }) => {
    const message: unknown = JSON.parse(String(data));
    const take = wanted.shift();
    if (take) take(message);
    else messages.push(message);
  });
  await new Promise((opened) => socket.addEventListener("open", opened));
  const next = (): Promise<unknown> =>
    new Promise((take) => (messages.length > 0 ? take(messages.shift()) : wanted.push(take)));
  const closed = new Promise<number>((take) => socket.addEventListener("close", ({ code }) => take(code)));
  return { next, closed };
}
