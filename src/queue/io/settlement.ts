/** What pg-boss says of settled jobs, which its types leave out. */

/** How many, and which, were still held by the attempts that were named. */
export interface Settlement {
  readonly affected: number;
  readonly settled?: readonly string[] | undefined;
}

/** The response with its fields. */
export function settlementOf(response: object): Settlement {
  return response as Settlement;
}
