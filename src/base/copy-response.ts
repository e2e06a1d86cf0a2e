/**
 * Copies of fetch-style responses, whose own headers may be immutable, or shared by requests.
 */

/** A copy whose headers can be changed, with the body of the original, which is used up. */
export function copyResponse(response: Response): Response {
  const { status, statusText, headers } = response;
  if (headers.has("content-type") || !("Bun" in globalThis))
    return new Response(response.body, { status, statusText, headers });
  // Bun keeps the type of a text out of its headers, and forgets it when somebody looks at the body.
  const copy = response.clone() as Response;
  response.body?.cancel().catch(() => undefined);
  return copy;
}
