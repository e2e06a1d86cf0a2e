/** Walking the parse trees of libpg-query, and other JSON of Postgres. */

/** One object of a tree. */
export type ParseNode = Readonly<Record<string, unknown>>;

/** Whether it is an object. */
export function isNode(value: unknown): value is ParseNode {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** A list, or none. */
export function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

/** The fields of a node of this kind: `{ SelectStmt: {…} }`. */
export function fieldsOf(value: unknown, kind: string): ParseNode | undefined {
  const fields = isNode(value) ? value[kind] : undefined;
  return isNode(fields) ? fields : undefined;
}

/** Texts of a list of String nodes: the parts of a name. */
export function namesOf(value: unknown): readonly string[] {
  return listOf(value).flatMap((each) => {
    const text = fieldsOf(each, "String")?.["sval"];
    return typeof text === "string" ? [text] : [];
  });
}

/** Calls `visit` for each node with its kind. */
export function walk(value: unknown, visit: (kind: string, fields: ParseNode) => void): void {
  if (Array.isArray(value)) for (const each of value) walk(each, visit);
  if (!isNode(value)) return;
  for (const [kind, fields] of Object.entries(value)) {
    if (isNode(fields)) visit(kind, fields);
    walk(fields, visit);
  }
}
