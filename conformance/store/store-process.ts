/** The store in a process of its own, as the controller runs it. */
import { join } from "node:path";
import { freePort } from "../../src/base/testing.ts";

const PROGRAM = join(import.meta.dir, "../../src/app/store-server.ts");

/** A store that runs. */
export interface StoreProcess {
  readonly url: string;
  readonly port: number;
  readonly pid: number;
  /** Ends it at once, as a crash does. */
  kill(): Promise<void>;
  /** Ends it in good order. */
  stop(): Promise<void>;
}

/** What may be chosen. */
export interface StoreProcessOptions {
  readonly port?: number;
  readonly data?: string;
  readonly settings?: Readonly<Record<string, unknown>>;
  readonly password?: string;
  /** Put before the command, as taskset. */
  readonly prefix?: readonly string[];
}

/** Starts one. Rejects when it does not serve within 10 s, with what it said. */
export async function startStore(options: StoreProcessOptions = {}): Promise<StoreProcess> {
  const { data, settings = {}, password = "", prefix = [] } = options;
  const port = options.port ?? freePort();
  const child = Bun.spawn(
    [
      ...prefix,
      process.execPath,
      PROGRAM,
      "--address",
      `127.0.0.1:${port}`,
      "--settings",
      JSON.stringify(settings),
      ...(data === undefined ? [] : ["--data", data]),
    ],
    { stdout: "ignore", stderr: "pipe", env: { ...process.env, PORT: "", TENFOLD_STORE_PASSWORD: password } },
  );
  await serving(child.stderr);
  const end = async (signal: "SIGKILL" | "SIGTERM"): Promise<void> => {
    child.kill(signal);
    await child.exited;
  };
  const secret = password === "" ? "" : `default:${password}@`;
  return {
    url: `redis://${secret}127.0.0.1:${port}`,
    port,
    pid: child.pid,
    kill: () => end("SIGKILL"),
    stop: () => end("SIGTERM"),
  };
}

const DEADLINE_MS = 10_000;

/** Waits for the line that says it serves; goes on reading, so that the pipe does not fill up. */
async function serving(stderr: ReadableStream<Uint8Array>): Promise<void> {
  const reader = stderr.getReader();
  let said = "";
  const deadline = Bun.sleep(DEADLINE_MS).then(() => undefined);
  while (!said.includes("store-serving")) {
    const chunk = await Promise.race([reader.read(), deadline]);
    if (chunk === undefined || chunk.done) throw new Error(`the store does not serve: ${said}`);
    said += new TextDecoder().decode(chunk.value);
  }
  const drain = async (): Promise<void> => {
    for (let chunk = await reader.read(); !chunk.done; chunk = await reader.read());
  };
  void drain();
}
