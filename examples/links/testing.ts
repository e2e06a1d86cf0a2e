/** The example as an app of its own: in a folder, with `tenfold` beside it as npm installs it, on ports that are free. */
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CookieJar } from "../../src/session/testing.ts";
import { buildDoors } from "../../tools/doors.ts";

const ROOT = join(import.meta.dirname, "../..");

/** What a reader copies. */
const FILES = ["server.js", "links.js", "keepers.js", "websocket.js", "page.html", "tenfold.config.ts"];

/** How soon a page comes back to the feed, ms. */
const RETURN_MS = 100;

/** Ten seconds of answers with 503 are no accident. */
const TRIES_MAX = 100;

/** Installs the example in a folder; gives the path of its server. */
export async function installExample(folder: string): Promise<string> {
  const installed = join(folder, "node_modules/tenfold");
  mkdirSync(installed, { recursive: true });
  for (const file of FILES) cpSync(join(ROOT, "examples/links", file), join(folder, file));
  writeFileSync(join(folder, "package.json"), '{ "type": "module" }');
  cpSync(join(ROOT, "package.json"), join(installed, "package.json"));
  symlinkSync(join(ROOT, "src"), join(installed, "src"));
  symlinkSync(join(ROOT, "node_modules/pg"), join(folder, "node_modules/pg"));
  await buildDoors(join(installed, "dist"));
  return join(folder, "server.js");
}

/** Where an installed example listens. */
export interface ExamplePorts {
  readonly web: number;
  readonly store: number;
  readonly router: number;
  /** Two in a row. */
  readonly servers: number;
  readonly admin: number;
}

/** Writes the example's own config for other ports and for three tasks always. Throws when what it replaces is not there. */
export function moveExample(folder: string, { web, store, router, servers, admin }: ExamplePorts): void {
  const path = join(folder, "tenfold.config.ts");
  const changes = {
    "127.0.0.1:8080": `127.0.0.1:${web}`,
    "127.0.0.1:7079": `127.0.0.1:${store}`,
    '"127.0.0.1:7078"': `"127.0.0.1:${router}", serverPort: ${servers}`,
    "max: 6": "max: 3",
    "listeners:": `admin: { address: "127.0.0.1:${admin}" },\n  listeners:`,
  };
  let text = readFileSync(path, "utf8");
  for (const [was, is] of Object.entries(changes)) {
    if (!text.includes(was)) throw new Error(`${path} has no ${was}`);
    text = text.replace(was, is);
  }
  writeFileSync(path, text);
}

/** One running copy. */
export interface Copy {
  readonly url: string;
  readonly port: number;
  readonly process: Bun.Subprocess;
  /** What it said at its start. */
  readonly said: string;
}

/** Copies of the example, each on a free port, that end together. */
export class Copies {
  readonly folder: string = mkdtempSync(join(tmpdir(), "links-"));
  readonly #installed: Promise<string> = installExample(this.folder);
  readonly #running: Copy[] = [];

  /** Starts one with `env` besides; resolves when it listens. */
  async start(env: Readonly<Record<string, string>> = {}): Promise<Copy> {
    const child = Bun.spawn(["node", await this.#installed], {
      env: { ...process.env, PORT: "0", ...env },
      stdout: "pipe",
    });
    const { value } = await child.stdout.getReader().read();
    const said = new TextDecoder().decode(value);
    const port = Number(/:(\d+) /.exec(said)?.[1]);
    const copy = { url: `http://127.0.0.1:${port}`, port, process: child, said };
    this.#running.push(copy);
    return copy;
  }

  /** Kills those that still run. */
  async kill(): Promise<void> {
    for (const copy of this.#running) copy.process.kill("SIGKILL");
    await Promise.all(this.#running.splice(0).map((copy) => copy.process.exited));
  }

  async remove(): Promise<void> {
    await this.kill();
    rmSync(this.folder, { recursive: true });
  }
}

/** A link as the API gives it. */
export interface Link {
  readonly code: string;
  readonly url: string;
  readonly clicks: number;
}

/** Asks again while the answer is 503, as Retry-After has it: a machine that is busy with other tests may be late for a deadline. */
async function patiently(ask: () => Promise<Response>): Promise<Response> {
  for (let tries = 1; ; tries++) {
    const response = await ask();
    if (response.status !== 503 || tries === TRIES_MAX) return response;
    await Bun.sleep(RETURN_MS);
  }
}

/** Someone with a browser: keeps cookies, follows no redirect. */
export class Visitor {
  readonly #jar = new CookieJar();

  async ask(url: string, init: RequestInit = {}): Promise<Response> {
    const headers = { cookie: this.#jar.field ?? "" };
    const response = await fetch(url, { redirect: "manual", headers, ...init });
    this.#jar.take(response.headers.getSetCookie());
    return response;
  }

  /** POST /api/links at `site`; `url` may be what is to be refused. */
  shorten(site: string, url: unknown): Promise<Response> {
    return this.ask(`${site}/api/links`, { method: "POST", body: JSON.stringify({ url }) });
  }

  /** Makes a link; throws when it is not answered with 201. A 503 may mean that one was made which nobody was told of. */
  async make(site: string, url: string): Promise<Link> {
    const response = await patiently(() => this.shorten(site, url));
    if (response.status !== 201) throw new Error(`${response.status} ${await response.text()}`);
    return (await response.json()) as Link;
  }

  /** What a GET brings as JSON. */
  async read<T>(url: string): Promise<T> {
    return (await (await patiently(() => this.ask(url))).json()) as T;
  }

  /** Codes of the links that are theirs, the newest first. */
  async mine(site: string): Promise<string[]> {
    return (await this.read<Link[]>(`${site}/api/mine`)).map(({ code }) => code);
  }
}

/** A reader of the live feed that comes back when it is closed, as the page does. */
export class FeedReader {
  /** Code -> clicks as last told, the highest. */
  readonly clicks: Map<string, number> = new Map();
  /** How often it was connected. */
  connected = 0;
  #url: string;
  #socket: WebSocket | undefined;

  constructor(site: string) {
    this.#url = `${site.replace("http", "ws")}/live`;
  }

  /** Resolves when the feed is open. */
  open(): Promise<void> {
    const socket = new WebSocket(this.#url);
    this.#socket = socket;
    socket.addEventListener("message", ({ data }) => {
      const { code, clicks } = JSON.parse(String(data)) as Link;
      this.clicks.set(code, Math.max(clicks, this.clicks.get(code) ?? 0));
    });
    socket.addEventListener(
      "close",
      () => this.#socket === socket && setTimeout(() => void this.open(), RETURN_MS),
    );
    return new Promise((resolve) => {
      socket.addEventListener("open", () => {
        this.connected++;
        resolve();
      });
    });
  }

  close(): void {
    const socket = this.#socket;
    this.#socket = undefined;
    socket?.close();
  }
}
