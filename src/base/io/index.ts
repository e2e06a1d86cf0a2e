/** The files under every part: replaced whole, or appended to. */
export { writeFileAtomic } from "./atomic-file.ts";
export { type AppenderOptions, type AppenderStats, BatchedAppender } from "./batched-appender.ts";
