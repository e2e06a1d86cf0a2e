/**
 * The guard of a lease: a process beside a primary that ends it when its lease has run out, though its agent is dead or hangs.
 *
 * A primary outlives its agent, so that an agent can be replaced; but a primary whose lease nobody renews must not take one
 * more write. The guard is a shell that sleeps: it needs a megabyte and nothing of ours that could break with the agent. It
 * measures by the machine's uptime, which goes on while the machine is suspended and cannot be set. Linux only; elsewhere the
 * agent is alone.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type ProcessIdentity, readText } from "../../../base/io/index.ts";

/** How often the guard looks, s: this late a lease's end is noticed at most, and leases are granted with that in mind. */
const GUARD_POLL_S = 0.2;

/** The agent itself comes first: it knows whether the server is a replica by now. */
const DELAY_MS = 100;

/** Arguments: the file of the lease, the server's pid, its start time, its data directory. */
const SCRIPT = `
lease=$1 pid=$2 start=$3 data=$4
serves() {
  read -r stat < "/proc/$pid/stat" 2>/dev/null || return 1
  set -- \${stat##*) }
  [ "$1" != Z ] && [ "\${20}" = "$start" ]
}
fence() {
  kill -STOP "$pid" 2>/dev/null
  for process in /proc/[0-9]*; do
    [ "$(readlink "$process/cwd" 2>/dev/null)" = "$data" ] && kill -KILL "\${process#/proc/}" 2>/dev/null
  done
  kill -KILL "$pid" 2>/dev/null
  : > "$data/standby.signal"
}
while serves; do
  if read -r until < "$lease" 2>/dev/null && [ "\${until:-0}" -gt 0 ]; then
    read -r uptime rest < /proc/uptime
    [ "\${uptime%.*}\${uptime#*.}" -gt "$until" ] && fence
  fi
  sleep ${GUARD_POLL_S}
done
`;

/** One guard, of one run of a server. */
export class Guard {
  readonly #leaseFile: string;
  #child: ChildProcess | undefined;
  #guarded = "";

  constructor(folder: string) {
    this.#leaseFile = join(folder, "lease");
  }

  /** Sees to it that the server of `identity` ends `leftMs` from now, unless this is called again before. */
  watch(identity: ProcessIdentity, data: string, leftMs: number): void {
    const uptime = uptimeHundredths();
    if (uptime === undefined) return;
    this.#write(uptime + Math.ceil((leftMs + DELAY_MS) / 10));
    const key = `${identity.pid} ${identity.startTime}`;
    if (this.#guarded === key && this.#child?.exitCode === null && this.#child.signalCode === null) return;
    this.#guarded = key;
    const args = [
      "-c",
      SCRIPT,
      "tenfold-guard",
      this.#leaseFile,
      String(identity.pid),
      identity.startTime,
      data,
    ];
    this.#child = spawn("/bin/sh", args, {
      cwd: "/",
      detached: true,
      stdio: "ignore",
      env: { PATH: process.env["PATH"] ?? "/usr/bin:/bin" },
    });
    this.#child.on("error", () => {});
    this.#child.unref();
  }

  /** What is left of the lease that an earlier agent had; undefined when that cannot be told. */
  leftMs(): number | undefined {
    const until = Number(readText(this.#leaseFile) ?? "0");
    const uptime = uptimeHundredths();
    return until === 0 || uptime === undefined ? undefined : Math.max(0, (until - uptime) * 10 - DELAY_MS);
  }

  /** The server needs no lease any more: it is a replica. */
  release(): void {
    this.#write(0);
  }

  #write(until: number): void {
    writeFileSync(`${this.#leaseFile}.tmp`, `${until}\n`);
    renameSync(`${this.#leaseFile}.tmp`, this.#leaseFile);
  }
}

function uptimeHundredths(): number | undefined {
  const [uptime] = (readText("/proc/uptime") ?? "").split(" ");
  return uptime === undefined || uptime === "" ? undefined : Math.floor(Number(uptime) * 100);
}
