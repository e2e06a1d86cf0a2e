/** Door of the policy. */
export * from "./decision.ts";
export * from "./entity-tag.ts";
export * from "./failure.ts";
export * from "./fields.ts";
export * from "./http-date.ts";
export * from "./message.ts";
export * from "./policy.ts";
export * from "./storability.ts";
export * from "./stored-meta.ts";
export * from "./update.ts";
export * from "./vary.ts";
