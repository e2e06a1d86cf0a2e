/** What is noted of a client for those who look, at every arrival of bytes. */
import { DatabaseTraffic } from "../../router/console/traffic.ts";

const NOBODY = new DatabaseTraffic();

export class ClientRecord {
  /** Monotonic ms as of a tick. */
  readonly connectedMs: number;
  /** When its last bytes came. */
  requestMs: number;
  /** …or its last answer had gone out. */
  quietSinceMs: number;
  receivedBytes = 0;
  /** What it says of itself, as the server has it. */
  applicationName = "";
  /** Of its database; before the log-in nobody's. */
  traffic: DatabaseTraffic = NOBODY;

  constructor(nowMs: number) {
    this.connectedMs = this.requestMs = this.quietSinceMs = nowMs;
  }

  received(nowMs: number, bytes: number): void {
    this.requestMs = this.quietSinceMs = nowMs;
    this.receivedBytes += bytes;
    this.traffic.receivedBytes += bytes;
  }
}
