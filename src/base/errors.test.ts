import { expect, test } from "bun:test";
import { defineErrors, type ErrorRow } from "./errors.ts";

const row: ErrorRow = {
  status: 404,
  fault: "downstream",
  retry: "no",
  message: "No rule of the listener matches this request",
  mend: "Add a rule without conditions",
};

test("the table and its rows are frozen", () => {
  const errors = defineErrors({ "no-rule": { ...row } });
  expect(Object.isFrozen(errors) && Object.isFrozen(errors["no-rule"])).toBe(true);
  expect(errors["no-rule"]).toEqual(row);
});

test.each(["NoRule", "no_rule", "no--rule", "-no", "no-", "4xx", ""])("the code %p is refused", (code) => {
  expect(() => defineErrors({ [code]: { ...row } })).toThrow("is not kebab-case");
});

test.each([0, 99, 600, 404.5, Number.NaN])("the status %p is refused", (status) => {
  expect(() => defineErrors({ "no-rule": { ...row, status } })).toThrow('error "no-rule" has status');
});
