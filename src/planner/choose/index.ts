/** Choices: rules with the number that triggers each, what each costs, and what would change it. */
export { FACTS, type FactName, type FactRow, type Facts, type Known } from "./facts.ts";
export { parseFacts } from "./parse.ts";
export { FACT_PRESETS } from "./presets.ts";
export type { NumberTrigger, Question, Trigger, Verdict, WordTrigger } from "./question.ts";
export { CHOICES } from "./questions.ts";
export { chooseReport, questionsReport } from "./report.ts";
export { type ServersAnswer, type ServersQuestion, serversFor as serversForChallenge } from "./servers.ts";
export { serversReport } from "./servers-report.ts";
export { type Turn, turnsOf } from "./turns.ts";
