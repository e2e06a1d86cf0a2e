/** What a suite says of one way to the server. */
import { spawn } from "node:child_process";

/** One test, or file of tests. */
export interface Outcome {
  readonly name: string;
  readonly passed: boolean;
  /** Why not, as the test says it; "" when it passed. */
  readonly reason: string;
}

/** A way to a server of its own. */
export interface Way {
  readonly name: string;
  /** Where clients connect. */
  readonly port: number;
  /** The server itself, for what the tests need beforehand. */
  readonly server: number;
  /** For what the tests write. */
  readonly folder: string;
}

/** A suite: runs all its tests on one way. */
export interface Suite {
  /** Lines of postgresql.conf that its server needs. */
  readonly settings: string;
  /** Users that come to a pooler. */
  readonly users: readonly string[];
  readonly run: (checkout: string, way: Way, only: string) => Promise<Outcome[]>;
}

/** What a program wrote, and how it ended: its exit code, or "too long". */
export interface Ended {
  readonly code: number | string;
  readonly output: string;
}

/** What to run. */
export interface Program {
  readonly argv: readonly string[];
  readonly cwd: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly limitMs: number;
  /** What it reads. */
  readonly input?: string;
}

/** Runs a program to its end; after `limitMs` it is killed. */
export function runProgram({ argv, cwd, env, limitMs, input }: Program): Promise<Ended> {
  const child = spawn(argv[0] ?? "", argv.slice(1), {
    cwd,
    env: { PATH: process.env["PATH"] ?? "", HOME: cwd, USER: "postgres", ...env },
    stdio: ["pipe", "pipe", "pipe"],
  });
  const chunks: Buffer[] = [];
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (bytes: Buffer) => chunks.push(bytes));
  child.stdin.on("error", () => {}); // it may end before it has read all
  child.stdin.end(input ?? "");
  return new Promise((resolve, reject) => {
    let isLate = false;
    const timer = setTimeout(() => {
      isLate = true;
      child.kill("SIGKILL");
    }, limitMs);
    child.once("error", reject);
    child.once("close", (code, signal) => {
      clearTimeout(timer);
      resolve({
        code: isLate ? "too long" : (code ?? signal ?? ""),
        output: Buffer.concat(chunks).toString(),
      });
    });
  });
}

/** The environment of PostgreSQL's own library and tools. */
export function environmentOf(port: number, database: string): Record<string, string> {
  return { PGHOST: "127.0.0.1", PGPORT: String(port), PGUSER: "postgres", PGDATABASE: database };
}
