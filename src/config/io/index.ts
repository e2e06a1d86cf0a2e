/** Config files: finding, reading and evaluating them. */
export { CONFIG_NAMES, type LoadOptions, type LoadOutcome, loadConfig } from "./load.ts";
