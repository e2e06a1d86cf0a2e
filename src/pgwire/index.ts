/** The wire protocol of PostgreSQL, 3.0 and 3.2, as bytes: frames, messages, start-up and log-in, without sockets. */
export { copyBytes, cstringEnd, int16At, int32At, putInt32, textOf, utf8 } from "./bytes.ts";
export { endpointBinding } from "./channel-binding.ts";
export { type ErrorFields, FieldReader, readError, readErrorCode } from "./fields.ts";
export { type FrameOutcome, FrameScanner } from "./frame-scanner.ts";
export { type Credentials, Login, type LoginStep } from "./login.ts";
export { formatLsn, type Lsn, parseLsn } from "./lsn.ts";
export { md5Password } from "./md5.ts";
export { MessageWriter } from "./message-writer.ts";
export {
  AUTHENTICATION,
  BACKEND,
  BACKEND_FRAMES,
  type BackendMessage,
  FRONTEND,
  FRONTEND_FRAMES,
  type FrameTable,
  type FrontendMessage,
  TRANSACTION,
} from "./messages.ts";
export { type PostgresUrl, parsePostgresUrl } from "./postgres-url.ts";
export {
  type ErrorReply,
  type ErrorSeverity,
  writeAuthentication,
  writeAuthenticationOk,
  writeBackendKey,
  writeCommandComplete,
  writeError,
  writeNegotiateVersion,
  writeParameterStatus,
  writeReadyForQuery,
  writeSasl,
  writeTable,
} from "./replies.ts";
export {
  writeCancelRequest,
  writeClose,
  writePassword,
  writeQuery,
  writeSaslInitial,
  writeSaslResponse,
  writeStartup,
  writeSync,
  writeTerminate,
} from "./requests.ts";
export { ScramClient } from "./scram-client.ts";
export { makeVerifier, parseVerifier, type ScramKeys, type ScramVerifier, scramKeys } from "./scram-keys.ts";
export { ScramServer, type ScramSuccess } from "./scram-server.ts";
export {
  certificateObjection,
  SERVER_TLS_MODES,
  type ServerTlsSettings,
  serverTlsOf,
  TLS_NO,
  TLS_PROTOCOL,
  TLS_REQUEST,
  TLS_YES,
} from "./server-tls.ts";
export { SQLSTATE, type SqlState } from "./sqlstate.ts";
export { readStartup, STARTUP_BYTES_MAX, type Startup, VERSION_3_0, VERSION_3_2 } from "./startup.ts";
