/** Bounds on one head. A part of the gateway's `LimitsConfig`, by structure: neither part imports the other. */

/** What one head may hold. */
export interface HeadLimits {
  /** Method, target and version with the spaces between them. */
  readonly requestLineBytesMax: number;
  /** First line and fields, line ends included. */
  readonly headBytesMax: number;
  /** Field lines. */
  readonly fieldsMax: number;
}

/** 8 KiB line, 32 KiB head, 100 fields: what common clients stay below by a factor of four. */
export const HEAD_LIMITS: HeadLimits = {
  requestLineBytesMax: 8192,
  headBytesMax: 32768,
  fieldsMax: 100,
};
