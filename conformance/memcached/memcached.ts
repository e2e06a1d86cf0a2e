/** Leases by memcached's meta commands (doc/protocol.txt, "Meta Commands"), over a socket to a real memcached. */
import { type ChildProcess, spawn } from "node:child_process";
import { connect, type Socket } from "node:net";
import { freePort } from "../../src/base/testing.ts";
import type { Leases } from "./leases.ts";

/** Whether Debian's memcached (1.6) is on this machine. */
export const hasMemcached: boolean = Bun.which("memcached") !== null;

/** A memcached of its own, and one connection. */
export async function startMemcached(): Promise<Leases & { stop(): Promise<void> }> {
  const port = freePort();
  const child = spawn("memcached", ["-p", String(port), "-l", "127.0.0.1", "-U", "0", "-u", "nobody"], {
    stdio: "inherit",
  });
  const line = await connection(port);
  return {
    /** N vivifies a miss for so long and gives W to one; X is stale, Z says that somebody has W. */
    look: async (key, leaseSeconds) => {
      const answer = await line.ask(`mg ${key} v c N${leaseSeconds}`);
      const [head = "", value = ""] = answer.split("\r\n");
      const [code, size, ...flags] = head.split(" ");
      const token = flags.find((flag) => flag.startsWith("c"))?.slice(1) ?? "";
      const kept = code === "VA" && size !== "0" ? value : undefined;
      if (flags.includes("W")) return { kind: "won", token, kept };
      return { kind: flags.includes("Z") ? "wait" : "hit", token: "", kept };
    },
    /** C compares the number that came with W. */
    fill: async (key, token, value) =>
      (await line.ask(`ms ${key} ${value.length} C${token}\r\n${value}`)).startsWith("HD"),
    remove: async (key) => void (await line.ask(`md ${key}`)),
    soften: async (key) => void (await line.ask(`md ${key} I T60`)),
    stop: async () => {
      line.close();
      await ended(child);
    },
  };
}

async function connection(port: number) {
  const socket = await opened(port);
  let waiting: ((text: string) => void) | undefined;
  let text = "";
  socket.on("data", (bytes) => {
    text += bytes.toString("latin1");
    // A value takes two lines, everything else one.
    const lines = text.split("\r\n").length - 1;
    if (lines < (text.startsWith("VA") ? 2 : 1)) return;
    waiting?.(text);
    text = "";
  });
  return {
    ask: (command: string): Promise<string> =>
      new Promise((resolve) => {
        waiting = resolve;
        socket.write(`${command}\r\n`);
      }),
    close: () => socket.destroy(),
  };
}

async function opened(port: number): Promise<Socket> {
  for (let tries = 0; tries < 100; tries++) {
    const socket = await new Promise<Socket | undefined>((resolve) => {
      const made = connect(port, "127.0.0.1", () => resolve(made));
      made.once("error", () => resolve(undefined));
    });
    if (socket !== undefined) return socket;
    await Bun.sleep(50);
  }
  throw new Error(`memcached does not listen on ${port}`);
}

function ended(child: ChildProcess): Promise<void> {
  return new Promise((resolve) => {
    child.once("exit", () => resolve());
    child.kill("SIGKILL");
  });
}
