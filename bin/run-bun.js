// Replaces this Node process by Bun as nearly as Node can: same arguments, same terminal, same signals, same exit.
import { spawn } from "node:child_process";
import { constants } from "node:os";
import { findBun } from "./find-bun.js";

/** Runs Bun with `args`; ends this process as Bun ends. */
export function runBun(args) {
  const bun = process.env.TENFOLD_BUN || findOrExit();
  // Handlers first: a signal that came before them would end us alone, and leave Bun without its launcher.
  // A terminal sends Ctrl-C to the whole foreground group, so Bun has it already; a `kill PID` reaches only us.
  for (const signal of ["SIGTERM", "SIGHUP", "SIGUSR2"]) process.on(signal, () => child.kill(signal));
  process.on("SIGINT", () => process.stdin.isTTY || child.kill("SIGINT"));
  const child = spawn(bun, args, { stdio: "inherit" });
  child.on("error", (error) => exitWith(`tenfold: cannot start ${bun}: ${error.message}`));
  child.on("exit", (code, signal) => process.exit(code ?? 128 + (constants.signals[signal] ?? 0)));
}

/** @returns {string} */
function findOrExit() {
  try {
    return findBun();
  } catch (error) {
    return exitWith(error.message);
  }
}

function exitWith(message) {
  console.error(message);
  process.exit(1);
}
