/**
 * What a client reads when the gateway answers by itself: JSON, or a small page for browsers, chosen by Accept.
 *
 * Both say the same: the code, the reason in a sentence, how to mend it, the request id to quote, and the targets
 * that were tried. Nothing of the request is echoed unescaped.
 */
export interface ErrorPage {
  readonly status: number;
  readonly code: string;
  readonly message: string;
  readonly mend: string;
  readonly requestId: string;
  /** "127.0.0.1:20001: connect-refused", in the order tried. */
  readonly tried: readonly string[];
}

/** The body and its media type. */
export interface RenderedPage {
  readonly contentType: string;
  readonly body: string;
}

/** Renders `page` as HTML when `accept` prefers it, else as JSON. */
export function renderErrorPage(page: ErrorPage, accept: string): RenderedPage {
  if (!prefersHtml(accept))
    return { contentType: "application/json", body: `${JSON.stringify(errorBody(page))}\n` };
  return { contentType: "text/html; charset=utf-8", body: html(page) };
}

function errorBody(page: ErrorPage): object {
  const { status, code, message, mend, requestId, tried } = page;
  return { error: { status, code, message, mend, requestId, tried } };
}

/** True when "text/html" stands before any JSON type: what every browser sends and no API client does. */
function prefersHtml(accept: string): boolean {
  const htmlAt = accept.indexOf("text/html");
  if (htmlAt < 0) return false;
  const jsonAt = accept.indexOf("application/json");
  return jsonAt < 0 || htmlAt < jsonAt;
}

function html(page: ErrorPage): string {
  const tried = page.tried.map((line) => `<li><code>${escape(line)}</code></li>`).join("");
  return `<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>${page.status} ${escape(page.code)}</title>
<style>body{font:16px/1.5 system-ui,sans-serif;max-width:40rem;margin:15vh auto;padding:0 1rem;color:#222}
h1{font-size:1.4rem}code{background:#f3f3f3;padding:.1em .3em;border-radius:3px}small{color:#666}
@media(prefers-color-scheme:dark){body{background:#181818;color:#ddd}code{background:#2a2a2a}}</style>
<h1>${page.status} <code>${escape(page.code)}</code></h1>
<p>${escape(page.message)}</p><p>${escape(page.mend)}</p>
${tried === "" ? "" : `<p>Tried:</p><ul>${tried}</ul>`}
<p><small>Request id <code>${escape(page.requestId)}</code></small></p></html>
`;
}

function escape(value: string): string {
  return value.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
