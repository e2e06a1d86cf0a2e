/** `tenfold store`: the shared store alone, as one uses redis-server. */
import { join, resolve } from "node:path";
import { runStore } from "../../app/index.ts";
import { createLog, isLoopback, parseBytes } from "../../base/index.ts";
import type { TlsPaths } from "../../base/io/index.ts";
import {
  type Address,
  DEFAULTS,
  formatAddress,
  parseAddress,
  STORE_EVICTIONS,
  STORE_FSYNCS,
} from "../../config/index.ts";
import { type Command, defineCommand } from "../command.ts";
import type { Context } from "../context.ts";
import { Failure, UsageError } from "../failure.ts";
import { STATE_FOLDER } from "../state-directory.ts";

const PASSWORD_VARIABLE = "TENFOLD_STORE_PASSWORD";

/** Redis' protocol on a port, with a log on disk. */
export const store: Command = defineCommand({
  name: "store",
  heading: "Start and stop",
  summary: "Run the shared store alone: what Redis clients speak, in memory and on disk",
  usage: [
    "[--address HOST:PORT] [--data DIR] [--fsync HOW] [--memory SIZE] [--eviction HOW]",
    "--tls-cert FILE --tls-key FILE [--tls-ca FILE] …",
  ],
  notes: [
    `The password is what ${PASSWORD_VARIABLE} holds; without one only this machine may connect.`,
    "SIGINT and SIGTERM write what waits and stop it. SIGHUP reads the certificate again; a minute does, too.",
  ],
  positionals: [],
  options: {
    address: {
      kind: "text",
      placeholder: "HOST:PORT",
      about: "Where it listens",
      fallback: "127.0.0.1:6379",
    },
    data: {
      kind: "text",
      placeholder: "DIR",
      about: "Folder of its files",
      fallback: `${STATE_FOLDER}/store here`,
    },
    fsync: {
      kind: "text",
      placeholder: "HOW",
      about: `When a write is on disk: ${STORE_FSYNCS.join(", ")}`,
      fallback: DEFAULTS.store.fsync,
    },
    memory: { kind: "text", placeholder: "SIZE", about: "Data at most, 0B for no bound", fallback: "1GiB" },
    eviction: {
      kind: "text",
      placeholder: "HOW",
      about: `What goes when memory is full: ${STORE_EVICTIONS.slice(0, 4).join(", ")} …`,
      fallback: DEFAULTS.store.eviction,
    },
    "tls-cert": { kind: "text", placeholder: "FILE", about: "Speak TLS with this certificate (PEM)" },
    "tls-key": { kind: "text", placeholder: "FILE", about: "Its private key (PEM)" },
    "tls-ca": {
      kind: "text",
      placeholder: "FILE",
      about: "Let in only clients with a certificate of this CA (PEM)",
    },
  },
  examples: [
    {
      line: "tenfold store --data ./data --fsync always",
      about: "Nothing that was acknowledged is ever lost",
    },
    {
      line: "tenfold store --fsync off --memory 256MiB --eviction allkeys-s3-fifo",
      about: "A cache: in memory alone, what is not used goes",
    },
  ],
  async run({ options }, context) {
    const { terminal, cwd, env, clock } = context;
    const address = addressOf(options.address ?? formatAddress(DEFAULTS.store.address));
    const password = env[PASSWORD_VARIABLE] ?? "";
    if (password === "" && !isLoopback(address.host))
      throw new Failure(
        `${formatAddress(address)} can be reached from other machines, and there is no password`,
        `set ${PASSWORD_VARIABLE}, or listen on 127.0.0.1`,
      );
    const fsync = wordOf("fsync", options.fsync ?? DEFAULTS.store.fsync, STORE_FSYNCS);
    const data = fsync === "off" ? undefined : resolve(cwd, options.data ?? join(STATE_FOLDER, "store"));
    const tls = tlsOf(options, cwd);
    const stopped = untilStopped(context); // from here on: a signal during the start counts too
    const running = await runStore({
      address,
      data,
      settings: {
        password,
        maxMemoryBytes: memoryOf(options.memory),
        policy: wordOf("eviction", options.eviction ?? DEFAULTS.store.eviction, STORE_EVICTIONS),
        ...(fsync === "off" ? {} : { fsync }),
      },
      tls,
      log: createLog({ clock, level: "warn", write: (line) => terminal.err(line.trimEnd()) }),
    });
    const scheme = tls === undefined ? "redis" : "rediss";
    terminal.out(`store at ${scheme}://${formatAddress(running.address)}, ${data ?? "in memory alone"}`);
    const renew = (): void => {
      if (running.renewCertificate() === undefined) terminal.out("the certificate was read again");
    };
    const off = tls === undefined ? () => {} : context.onSignal("SIGHUP", renew);
    await stopped;
    off();
    await running.stop();
    return 0;
  },
});

function addressOf(text: string): Address {
  const address = parseAddress(text, "127.0.0.1");
  if (typeof address === "object") return address;
  throw new UsageError(`--address ${text} is no address`, 'write one such as "127.0.0.1:6379"');
}

type TlsOptions = Readonly<Partial<Record<"tls-cert" | "tls-key" | "tls-ca", string | undefined>>>;

function tlsOf(options: TlsOptions, cwd: string): TlsPaths | undefined {
  const { "tls-cert": cert, "tls-key": key, "tls-ca": ca } = options;
  if (cert === undefined && key === undefined && ca === undefined) return undefined;
  if (cert === undefined || key === undefined)
    throw new UsageError("TLS needs a certificate and its key", "write --tls-cert FILE --tls-key FILE");
  const clientCa = ca === undefined ? undefined : resolve(cwd, ca);
  return { cert: resolve(cwd, cert), key: resolve(cwd, key), clientCa };
}

function wordOf<const W extends string>(option: string, text: string, words: readonly W[]): W {
  const word = words.find((known) => known === text);
  if (word !== undefined) return word;
  throw new UsageError(`--${option} ${text} is not known`, `write one of ${words.join(", ")}`);
}

function memoryOf(text: string | undefined): number {
  const bytes = text === undefined ? DEFAULTS.store.memoryBytes : parseBytes(text);
  if (bytes !== undefined) return bytes;
  throw new UsageError(`--memory ${text} is no size`, 'write one such as "256MiB"');
}

function untilStopped({ onSignal }: Context): Promise<void> {
  return new Promise((done) => {
    const offs = [onSignal("SIGINT", () => stop()), onSignal("SIGTERM", () => stop())];
    const stop = (): void => {
      for (const off of offs) off();
      done();
    };
  });
}
