/** What `up` and `run` say when everything is there: where to click, and what to type next. */
import type { Status } from "../../app/index.ts";
import type { Style } from "../style.ts";
import { plural } from "./figures.ts";

/** The URLs first. */
export function renderWelcome(
  { gateway, services }: Status,
  hints: readonly string[],
  style: Style,
): string[] {
  const running = services.map(({ name, healthy }) => `${name} (${plural(healthy, "task")})`).join(", ");
  const urls = gateway.listeners.map(({ url }) => style.bold(url)).join("  ");
  const serving = urls === "" ? "no listeners" : urls;
  return [
    `${style.good("ready")}  ${serving}${running === "" ? "" : `  ${running}`}`,
    ...hints.map((hint) => style.dim(`       ${hint}`)),
  ];
}
