/** Pure door of `db`: how old an answer may be. */
export { CONSISTENCIES, type Consistency } from "./terms.ts";
