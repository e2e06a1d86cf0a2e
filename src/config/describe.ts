/** Rules in words, the same wherever a person reads them. */
import type { ActionConfig, MatchConfig, PathMatch, ValueMatch } from "./config.ts";

/** All conditions of a rule in words; "everything" when there are none. */
export function describeMatch(match: MatchConfig): string {
  const conditions = [
    ...alternatives("", match.methods),
    ...alternatives("host ", match.hosts),
    ...alternatives("", match.paths.map(describePath)),
    ...match.headers.map(({ name, value }) => `header ${name} ${describeValue(value)}`),
    ...match.queries.map(({ name, value }) => `query ${name} ${describeValue(value)}`),
    ...alternatives("from ", match.sourceIps),
  ];
  return conditions.length === 0 ? "everything" : conditions.join(", ");
}

/** A rule's action in words. */
export function describeAction(action: ActionConfig): string {
  switch (action.kind) {
    case "forward":
      return action.groups
        .map(({ group, weight }) => (action.groups.length === 1 ? group : `${group} (${weight})`))
        .join(", ");
    case "redirect":
      return `redirect ${action.status} ${action.location}`;
    case "respond":
      return `respond ${action.status}`;
  }
}

function alternatives(prefix: string, words: readonly string[]): string[] {
  return words.length === 0 ? [] : [`${prefix}${words.join(" or ")}`];
}

function describePath(path: PathMatch): string {
  switch (path.kind) {
    case "exact":
      return path.path;
    case "prefix":
      return `${path.path}/*`;
    case "glob":
    case "regex":
      return `~ ${path.source}`;
  }
}

function describeValue(value: ValueMatch): string {
  switch (value.kind) {
    case "present":
      return "is there";
    case "absent":
      return "is not there";
    case "exact":
      return `is "${value.value}"`;
    case "regex":
      return `~ ${value.source}`;
  }
}
