/** The Redis serialization protocol, RESP2 and RESP3, as bytes: requests and replies, read and written, without sockets. */
export { bytesOf, latin1, parseInteger, putInteger, putLatin1 } from "./bytes.ts";
export { isClusterUrl, parseClusterUrl, SLOTS, type SlotMap, slotOf } from "./cluster/index.ts";
export { formatDouble } from "./double.ts";
export { splitInline } from "./inline.ts";
export { REQUEST_LIMITS, type RequestLimits, STRANGER_LIMITS } from "./limits.ts";
export { latin1Of, type Reply, ReplyError, textOf } from "./reply.ts";
export { type ReplyLimits, type ReplyOutcome, ReplyReader } from "./reply-reader.ts";
export { type Protocol, ReplyWriter } from "./reply-writer.ts";
export { type Argument, type Request, RequestWriter } from "./request.ts";
export { type RequestOutcome, RequestReader } from "./request-reader.ts";
export { parseStoreUrl, type StoreUrl } from "./store-url.ts";
