/** A handler's error as it is kept with its job: bounded, and without what looks like a secret. */
import { isSecretName, REDACTED } from "../base/index.ts";

/** What is kept. */
export interface Failure {
  readonly name: string;
  readonly message: string;
  readonly code?: string;
  readonly stack?: string;
}

/** Characters kept: what says what happened, not what it happened to. */
const MESSAGE_MAX = 500;
const STACK_MAX = 2000;

const PASSWORD_IN_URL = /(\b[a-z][a-z0-9+.-]*:\/\/[^\s:/@]*:)[^\s@]+@/gi;
const FIELD =
  /(["']?)([A-Za-z][\w-]*)\1(\s*[:=]\s*)("[^"]*"|'[^']*'|(?:(?:bearer|basic)\s+)?[^\s,;&)}\]]+)/gi;

/** The text without passwords of URLs and without values of fields whose names are those of secrets. */
export function withoutSecrets(text: string): string {
  return text
    .replace(PASSWORD_IN_URL, `$1${REDACTED}@`)
    .replace(FIELD, (whole, quote: string, name: string, between: string) =>
      isSecretName(name) ? `${quote}${name}${quote}${between}${REDACTED}` : whole,
    );
}

/** What is kept of a thrown value. */
export function failureOf(thrown: unknown): Failure {
  const error = thrown instanceof Error ? thrown : new Error(String(thrown));
  const code = "code" in error && typeof error.code === "string" ? error.code.slice(0, 50) : undefined;
  return {
    name: error.name.slice(0, 100),
    message: withoutSecrets(error.message.slice(0, MESSAGE_MAX * 2)).slice(0, MESSAGE_MAX),
    ...(code === undefined ? {} : { code }),
    ...(error.stack === undefined
      ? {}
      : { stack: withoutSecrets(error.stack.slice(0, STACK_MAX * 2)).slice(0, STACK_MAX) }),
  };
}
