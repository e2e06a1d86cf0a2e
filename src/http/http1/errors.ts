/**
 * Every reason for which a request or a response is refused as HTTP/1.1: code, status, words, mend.
 *
 * A refused request gets its status and the connection is closed, because nobody can tell where the next one
 * begins. A refused response becomes 502 and its connection is closed for the same reason. The code goes unchanged
 * into the answer, the access log and the metric label.
 */
import { defineErrors, type ErrorRow } from "../../base/index.ts";
import { SYNTAX_MISTAKES, type SyntaxMistake } from "./syntax-errors.ts";

type StatusRow = readonly [status: number, message: string, mend: string];

/** Mistakes that only a request can have. */
const REQUEST_ROWS = {
  "empty-lines": [400, "More than one empty line comes before the request line", "Send none"],
  "method-invalid": [
    400,
    "The method is not a token of capitals, or is longer than 32 bytes",
    "Send a method such as GET",
  ],
  "method-connect": [
    501,
    "CONNECT asks for a forward proxy; this is a gateway",
    "Send the request to the origin itself",
  ],
  "request-line-spaces": [
    400,
    "The parts of the request line are not separated by exactly one space",
    "Send `METHOD SP target SP HTTP/1.1 CRLF`",
  ],
  "request-line-too-long": [
    414,
    "The request line is longer than the limit",
    "Send a shorter target, or raise `gateway.limits.requestLine`",
  ],
  "version-missing": [400, "The request line has no version (HTTP/0.9)", "End it with HTTP/1.1"],
  "version-malformed": [
    400,
    "The version is not `HTTP/` digit `.` digit",
    "End the request line with HTTP/1.1",
  ],
  "version-unsupported": [505, "The version is neither HTTP/1.1 nor HTTP/1.0", "Send HTTP/1.1"],
  "http2-preface": [
    505,
    "This listener does not speak HTTP/2 in clear text",
    "Send HTTP/1.1, or use TLS with ALPN",
  ],
  "target-byte-invalid": [
    400,
    "The request target holds a control character, a space or a byte outside ASCII",
    "Percent-encode it",
  ],
  "target-fragment": [
    400,
    "The request target holds a fragment (`#`)",
    "Leave the fragment out, or send %23",
  ],
  "target-form": [
    400,
    "The request target is neither a path nor an http or https URL",
    "Begin it with `/` or `http://`",
  ],
  "target-asterisk": [400, "The target `*` is for OPTIONS only", "Name a path"],
  "target-userinfo": [
    400,
    "The URL in the request line holds user information",
    "Use the Authorization field",
  ],
  "target-authority": [400, "The URL in the request line has no valid host", "Send `http://host/path`"],
  "host-missing": [400, "An HTTP/1.1 request has no Host", "Send exactly one Host field"],
  "host-duplicate": [400, "There is more than one Host", "Send exactly one Host field"],
  "host-invalid": [
    400,
    "Host is not a name or an address with an optional port",
    "Send `Host: name:port`, with no path, user, comma or space",
  ],
  "host-mismatch": [
    400,
    "The URL in the request line names another host than the Host field",
    "Send the same in both",
  ],
  "expect-unknown": [417, "Expect is not exactly `100-continue`, sent once", "Leave Expect out"],
  "trace-body": [400, "A TRACE request has a body", "Send TRACE without one"],
  "connection-options-too-many": [
    400,
    "Connection names more than 32 other fields",
    "Name only fields that end at this hop",
  ],
  "head-too-large": [
    431,
    "The request head is larger than the limit",
    "Send fewer or shorter fields, or raise `gateway.limits.head`",
  ],
  "too-many-fields": [
    431,
    "The request has more fields than the limit",
    "Send fewer fields, or raise `gateway.limits.fields`",
  ],
} as const;

/** Mistakes that only a response can have; all are 502. */
const RESPONSE_ROWS = {
  "upstream-status-line-malformed": [
    "The target's answer does not begin with `HTTP/1.1` and a status of three digits",
    "Check that the target speaks HTTP/1.1 on this port",
  ],
  "upstream-version-unsupported": [
    "The target answered with a version other than HTTP/1.1 or HTTP/1.0",
    "Let the target speak HTTP/1.1",
  ],
  "upstream-connection-options-too-many": [
    "Connection of the target's answer names more than 32 other fields",
    "Name only fields that end at this hop",
  ],
  "upstream-head-too-large": [
    "The head of the target's answer is larger than the limit",
    "Send fewer or shorter fields (cookies are the usual cause)",
  ],
  "upstream-too-many-fields": ["The target's answer has more fields than the limit", "Send fewer fields"],
} as const;

/** Why a request is refused. */
export type RequestErrorCode = keyof typeof REQUEST_ROWS | SyntaxMistake;

/** Why a response of a target is refused. */
export type ResponseErrorCode = keyof typeof RESPONSE_ROWS | `upstream-${SyntaxMistake}`;

/** 501 asks the sender to do without; anything else about syntax is 400. */
function requestStatus(code: SyntaxMistake): number {
  return code === "transfer-encoding-unknown" ? 501 : 400;
}

/** Of each element of a table, keyed as `keyOf` says, one error row. */
function rows<Row>(
  table: Readonly<Record<string, Row>>,
  keyOf: (code: string) => string,
  rowOf: (row: Row, code: string) => ErrorRow,
): Record<string, ErrorRow> {
  return Object.fromEntries(Object.entries(table).map(([code, row]) => [keyOf(code), rowOf(row, code)]));
}

function downstream(status: number, message: string, mend: string): ErrorRow {
  return { status, fault: "downstream", retry: "no", message, mend };
}

function upstream([message, mend]: readonly [string, string]): ErrorRow {
  return { status: 502, fault: "upstream", retry: "no", message, mend };
}

/** Rows of all refused requests, by code. */
export const REQUEST_ERRORS: Readonly<Record<RequestErrorCode, ErrorRow>> = defineErrors({
  ...rows<StatusRow>(
    REQUEST_ROWS,
    (code) => code,
    ([status, message, mend]) => downstream(status, message, mend),
  ),
  ...rows(
    SYNTAX_MISTAKES,
    (code) => code,
    ([message, mend], code) => downstream(requestStatus(code as SyntaxMistake), message, mend),
  ),
}) as Readonly<Record<RequestErrorCode, ErrorRow>>;

/** Rows of all refused responses, by code. */
export const RESPONSE_ERRORS: Readonly<Record<ResponseErrorCode, ErrorRow>> = defineErrors({
  ...rows(RESPONSE_ROWS, (code) => code, upstream),
  ...rows(SYNTAX_MISTAKES, (code) => `upstream-${code}`, upstream),
}) as Readonly<Record<ResponseErrorCode, ErrorRow>>;
