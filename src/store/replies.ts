/** Texts of errors, word for word those of Redis 7: clients compare them. */
export const ERR = {
  wrongType: "WRONGTYPE Operation against a key holding the wrong kind of value",
  syntax: "ERR syntax error",
  notInteger: "ERR value is not an integer or out of range",
  outOfRange: "ERR value is out of range",
  mustBePositive: "ERR value is out of range, must be positive",
  notFloat: "ERR value is not a valid float",
  hashNotInteger: "ERR hash value is not an integer",
  hashNotFloat: "ERR hash value is not a float",
  overflow: "ERR increment or decrement would overflow",
  notFinite: "ERR increment would produce NaN or Infinity",
  noKey: "ERR no such key",
  index: "ERR index out of range",
  offset: "ERR offset is out of range",
  tooLong: "ERR string exceeds maximum allowed size (proto-max-bulk-len)",
  noAuth: "NOAUTH Authentication required.",
  wrongPass: "WRONGPASS invalid username-password pair or user is disabled.",
  oom: "OOM command not allowed when used memory > 'maxmemory'.",
  cursor: "ERR invalid cursor",
  nestedMulti: "ERR MULTI calls can not be nested",
  watchInMulti: "ERR WATCH inside MULTI is not allowed",
  execWithoutMulti: "ERR EXEC without MULTI",
  discardWithoutMulti: "ERR DISCARD without MULTI",
  execAbort: "EXECABORT Transaction discarded because of previous errors.",
  dbIndex: "ERR DB index is out of range",
  sameObject: "ERR source and destination objects are the same",
  minMax: "ERR min or max is not a float",
  lexRange: "ERR min or max not valid string range item",
  timeoutNegative: "ERR timeout is negative",
  timeoutNotFloat: "ERR timeout is not a float or out of range",
  noProto: "NOPROTO unsupported protocol version",
  nxXxGtLt: "ERR NX and XX, GT or LT options at the same time are not compatible",
} as const;

/** A wrong number of arguments, for the command or the subcommand `name`. */
export function wrongArity(name: string): string {
  return `ERR wrong number of arguments for '${name}' command`;
}

/** An expiry that is not in the future of time itself. */
export function invalidExpire(name: string): string {
  return `ERR invalid expire time in '${name}' command`;
}
