/**
 * What can be wrong with the fields, the framing or the chunks of a message, whoever sent it.
 *
 * The same bytes are the client's mistake in a request (400) and the target's in a response (502), so each mistake
 * is one row here and becomes two codes: "bare-lf" and "upstream-bare-lf".
 */

/** One mistake: what is wrong, and how the sender mends it. */
export type SyntaxRow = readonly [message: string, mend: string];

/** Mistakes in a field section, found by `Fields`. */
export const FIELD_MISTAKES = {
  "bare-cr": ["A CR is not followed by LF", "End each line with CRLF and send no CR inside a line"],
  "bare-lf": ["A line ends in LF alone", "End each line with CRLF"],
  "leading-whitespace": ["The first field line begins with whitespace", "Begin it with the field name"],
  "obs-fold": ["A field value goes on in a second line (obs-fold)", "Send the value in one line"],
  "field-name-empty": ["A field line begins with a colon", "Put a field name before the colon"],
  "field-name-invalid": [
    "A field name holds a byte that no token may hold",
    "Use letters, digits and dashes",
  ],
  "field-name-whitespace": [
    "There is whitespace in or after a field name",
    "Put the colon right after the name",
  ],
  "colon-missing": ["A field line has no colon", "Write each field as `Name: value`"],
  "field-value-control": ["A field value holds a control character", "Percent-encode it or leave it out"],
} as const;

/** Mistakes in what says how long a body is, found by `framing.ts`. */
export const FRAMING_MISTAKES = {
  "content-length-duplicate": ["There is more than one Content-Length", "Send it once"],
  "content-length-malformed": ["Content-Length is not a plain decimal number", "Send digits only"],
  "content-length-too-large": ["Content-Length is above 2^53-1", "Send less, or use chunked"],
  "content-length-with-transfer-encoding": [
    "Content-Length and Transfer-Encoding are both present, so the end of the body is ambiguous",
    "Send one of them",
  ],
  "transfer-encoding-duplicate": [
    "There is more than one Transfer-Encoding",
    "Send `Transfer-Encoding: chunked` once",
  ],
  "transfer-encoding-empty": ["Transfer-Encoding is empty", "Send `Transfer-Encoding: chunked` or none"],
  "transfer-encoding-malformed": [
    "Transfer-Encoding is not a list that ends in one `chunked`",
    "Send `Transfer-Encoding: chunked`",
  ],
  "transfer-encoding-unknown": [
    "Transfer-Encoding names a coding other than chunked",
    "Send `Transfer-Encoding: chunked`; compress with Content-Encoding",
  ],
  "transfer-encoding-http10": [
    "HTTP/1.0 has no Transfer-Encoding",
    "Send HTTP/1.1, or Content-Length in its place",
  ],
} as const;

/** Mistakes in a chunked body, found by `ChunkedScanner`. */
export const CHUNK_MISTAKES = {
  "chunk-size-malformed": [
    "A chunk does not begin with its size in hexadecimal digits",
    "Send only 0-9, a-f or A-F there: no sign, prefix, space or underscore",
  ],
  "chunk-size-too-large": ["A chunk size has more than 16 digits or is above 2^53-1", "Send smaller chunks"],
  "chunk-line-ending": ["A line of a chunked body does not end in CRLF", "End each with CRLF"],
  "chunk-data-unterminated": [
    "The data of a chunk is not followed by CRLF",
    "Let the chunk size be the number of bytes that follow",
  ],
  "chunk-extension-malformed": [
    "A chunk extension has no name or holds a control character",
    "Send `;name=value`, or no extension",
  ],
  "chunk-extension-too-long": ["The chunk extensions are too long", "Send none: nothing reads them"],
  "trailer-malformed": ["A trailer line is no valid field", "Write each trailer as `Name: value`"],
  "trailer-too-large": ["The trailer section is too large", "Send such fields in the head"],
} as const;

/** Codes of the rows above, by table and together. */
export type FieldMistake = keyof typeof FIELD_MISTAKES;
export type FramingMistake = keyof typeof FRAMING_MISTAKES;
export type ChunkMistake = keyof typeof CHUNK_MISTAKES;
export type SyntaxMistake = FieldMistake | FramingMistake | ChunkMistake;

/** All rows in one. */
export const SYNTAX_MISTAKES: Readonly<Record<SyntaxMistake, SyntaxRow>> = {
  ...FIELD_MISTAKES,
  ...FRAMING_MISTAKES,
  ...CHUNK_MISTAKES,
};
