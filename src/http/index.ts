/**
 * HTTP as bytes: heads, bodies and fields, without sockets. See `http1/` for the codec.
 */
export {
  asBytes,
  copy,
  equals,
  equalsFolded,
  put,
  putDecimal,
  type Slice,
  text,
} from "./bytes.ts";
export { findCookie, locateCookie } from "./cookies.ts";
export { FIELD, FIELD_CODES, type FieldCode, wireName } from "./field-names.ts";
export { buildForwardedBlock, type ForwardedBlock, type ForwardedSource } from "./forwarded.ts";
export { ChunkedScanner, type ChunkMode } from "./http1/chunked.ts";
export {
  REQUEST_ERRORS,
  RESPONSE_ERRORS,
  type RequestErrorCode,
  type ResponseErrorCode,
} from "./http1/errors.ts";
export { Fields, type FieldsError } from "./http1/fields.ts";
export { type RequestContext, writeForwardedRequest } from "./http1/forward-request.ts";
export { type ResponseContext, writeForwardedResponse } from "./http1/forward-response.ts";
export type { BodyKind } from "./http1/framing.ts";
export { HEAD_LIMITS, type HeadLimits } from "./http1/limits.ts";
export { RequestHead, type TargetForm } from "./http1/request-head.ts";
export { ResponseHead } from "./http1/response-head.ts";
export type { ChunkMistake } from "./http1/syntax-errors.ts";
export { type ResponseFields, reasonPhrase, writeResponse } from "./http1/write-response.ts";
export { knownText } from "./known-texts.ts";
export { isIdempotent, METHOD, type MethodCode, methodCode } from "./methods.ts";
export { findQuery, locateQuery } from "./query.ts";
export {
  type BareItem,
  type InnerList,
  type Item,
  type Member,
  type Parameters,
  parseDictionary,
  parseItem,
  parseList,
} from "./structured-fields.ts";
export { writeDictionary, writeItem, writeList } from "./structured-fields-write.ts";
