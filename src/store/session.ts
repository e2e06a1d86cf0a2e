/** What the store knows of one client. Its socket is behind `Sink`. */
import type { Protocol } from "../resp/index.ts";
import type { User } from "./acl.ts";
import type { Arguments } from "./call.ts";
import type { Command } from "./command.ts";
import type { Tracking } from "./tracking.ts";
import type { Waiting } from "./waiting.ts";

/** Where replies and pushes go. */
export interface Sink {
  /** Sends `bytes[0, length)`, which are lent. */
  send(bytes: Uint8Array, length: number): void;
  /** Closes once what was sent is out. */
  close(): void;
  /** Goes on with requests that were held while the client waited. */
  resume(): void;
  /** Bytes of replies that the client has not taken. */
  readonly unsentBytes: number;
}

/** A command that waits for EXEC, its arguments copied. */
export interface Queued {
  readonly command: Command;
  readonly name: string;
  readonly args: Arguments;
}

export class Session {
  readonly id: number;
  readonly sink: Sink;
  readonly address: string;
  readonly sinceMs: number;
  name = "";
  library = "";
  libraryVersion = "";
  database = 0;
  protocol: Protocol = 2;
  /** Undefined until it has said who it is. */
  user: User | undefined;
  lastMs: number;
  lastCommand = "NULL";
  calls = 0;
  /** Commands since MULTI. */
  queue: Queued[] | undefined;
  queueBytes = 0;
  queueFailed = false;
  /** Keys under watch, as the watch table names them. */
  watched: Set<string> | undefined;
  watchBroken = false;
  channels: Set<string> | undefined;
  patterns: Set<string> | undefined;
  shardChannels: Set<string> | undefined;
  tracking: Tracking | undefined;
  waiting: Waiting | undefined;
  replies: "on" | "off" | "skip" | "skip-next" = "on";
  noEvict = false;
  /** Whether it is shown every command (MONITOR). */
  isMonitor = false;
  closing = false;

  constructor(id: number, sink: Sink, address: string, nowMs: number) {
    this.id = id;
    this.sink = sink;
    this.address = address;
    this.sinceMs = nowMs;
    this.lastMs = nowMs;
  }

  get subscriptions(): number {
    return (this.channels?.size ?? 0) + (this.patterns?.size ?? 0);
  }

  /** Whether only subscribing is allowed: RESP2 cannot tell a message from a reply. */
  get isSubscriber(): boolean {
    return this.protocol === 2 && this.subscriptions + (this.shardChannels?.size ?? 0) > 0;
  }
}
