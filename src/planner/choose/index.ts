/** Choices: rules with the number that triggers each, and what each costs. */
export { type Facts, parseFacts } from "./facts.ts";
export { chooseReport, serversReport } from "./report.ts";
export { RULES as CHOICES } from "./rules.ts";
export { type ServersQuestion, serversFor as serversForChallenge } from "./servers.ts";
export type { Verdict } from "./verdict.ts";
