/** Waiting for what real processes do, without guessing how long it takes. */

/** Waits until `check` gives something other than undefined, false or ""; fails after five seconds. */
export async function eventually<T>(
  check: () => T | undefined | false | Promise<T | undefined | false>,
): Promise<T> {
  const deadline = performance.now() + 5000;
  for (;;) {
    const found = await check();
    if (found !== undefined && found !== false && found !== "") return found;
    if (performance.now() > deadline) throw new Error(`did not happen within 5 s: ${String(check)}`);
    await Bun.sleep(5);
  }
}

/** Whether a process with this pid exists and is no zombie. */
export async function isRunning(pid: number): Promise<boolean> {
  const stat = await Bun.file(`/proc/${pid}/stat`)
    .text()
    .catch(() => "");
  return stat !== "" && !/\) [ZX] /.test(stat);
}
