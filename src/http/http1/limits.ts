/** Bounds on one head. They are the gateway's `LimitsConfig`, of which this part needs three. */
import type { LimitsConfig } from "../../config/config.ts";

/** What one head may hold: bytes of the request line, bytes in all, fields. */
export type HeadLimits = Pick<LimitsConfig, "requestLineBytesMax" | "headBytesMax" | "fieldsMax">;

/** 8 KiB line, 32 KiB head, 100 fields: what common clients stay below by a factor of four. */
export const HEAD_LIMITS: HeadLimits = { requestLineBytesMax: 8192, headBytesMax: 32768, fieldsMax: 100 };
