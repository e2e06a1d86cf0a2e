/** What the state machine reports, as an event of the log. */
import { formatLsn } from "../../../pgwire/index.ts";
import type { Report } from "../../failover/state.ts";

/** An event, and its reason where it says why something did not go on. */
export interface ReportFields {
  readonly event: string;
  readonly reason: string | undefined;
  readonly fields: Readonly<Record<string, string | number | boolean | null>>;
  readonly isBad: boolean;
}

/** The event of a report. */
export function reportFields(report: Report): ReportFields {
  switch (report.kind) {
    case "fenced":
    case "not-promoted": {
      const { kind, reason } = report;
      return { event: `failover-${kind}`, reason, fields: { reason }, isBad: true };
    }
    case "campaign":
    case "running": {
      const { kind, term } = report;
      return { event: `failover-${kind}`, reason: undefined, fields: { term }, isBad: false };
    }
    case "taken": {
      const { term, fork, loss } = report;
      const fields = { term, fork: formatLsn(fork), lossBytes: loss.bytes, isExact: loss.exact };
      return { event: "failover-taken", reason: undefined, fields, isBad: loss.bytes > 0 };
    }
    case "loss-found":
      return { event: "failover-diverged", reason: undefined, fields: { bytes: report.bytes }, isBad: true };
    case "switchover": {
      const { to, outcome } = report;
      return { event: "failover-switchover", reason: undefined, fields: { to, outcome }, isBad: false };
    }
  }
}
