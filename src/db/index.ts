/** Pure door of `db`: the protocol between client and router, positions in the log. */
export {
  CONSISTENCIES,
  type Consistency,
  type Hints,
  hintSettings,
  LSN_SETTING,
  takeHints,
  withHints,
} from "./hints.ts";
export { formatLsn, parseLsn } from "./lsn.ts";
