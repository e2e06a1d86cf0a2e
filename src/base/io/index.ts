/** The files under every part: replaced whole, or appended to; and the program's own version. */
export { writeFileAtomic } from "./atomic-file.ts";
export { type AppenderOptions, type AppenderStats, BatchedAppender } from "./batched-appender.ts";
export {
  environmentOf,
  identify,
  isAlive,
  type ProcessIdentity,
  readText,
  statFields,
} from "./process-identity.ts";
export {
  isFor,
  readCa,
  readIdentity,
  TlsFileError,
  type TlsIdentity,
  type TlsPaths,
} from "./tls-identity.ts";
export { VERSION } from "./version.ts";
