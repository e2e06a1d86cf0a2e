/** What a reader of requests takes, unless told otherwise. Names and defaults follow Redis 7. */

/** Bounds of one request. */
export interface RequestLimits {
  /** Arguments of one request, its name included. */
  readonly argumentsMax: number;
  /** Bytes of one argument. */
  readonly argumentBytesMax: number;
  /** Bytes of one whole request. */
  readonly requestBytesMax: number;
}

/** Redis' own: a million arguments, 512 MiB each, 1 GiB together. */
export const REQUEST_LIMITS: RequestLimits = {
  argumentsMax: 1024 * 1024,
  argumentBytesMax: 512 * 1024 * 1024,
  requestBytesMax: 1024 * 1024 * 1024,
};

/** For a client that has not said who it is: enough for HELLO and AUTH, too little to fill memory with. */
export const STRANGER_LIMITS: RequestLimits = {
  argumentsMax: 10,
  argumentBytesMax: 16 * 1024,
  requestBytesMax: 64 * 1024,
};

/** A line that says how long something is, and an inline request: 64 KiB, as Redis. */
export const LINE_BYTES_MAX: number = 64 * 1024;
