import { expect, test } from "bun:test";
import { parseJunit } from "./junit.ts";

const REPORT = `<?xml version="1.0" encoding="UTF-8"?>
<testsuites name="bun test" tests="3">
  <testsuite name="a.test.ts" file="a.test.ts">
    <testcase name="t1" classname="inner &gt; outer &amp; &quot;more&quot;" time="0.25" file="a.test.ts" line="2" />
    <testcase name="t2 (needs x)" classname="" time="0" file="a.test.ts"><skipped /></testcase>
    <testcase name="t3" classname="" time="1" file="a.test.ts">
      <failure type="AssertionError" message="a &lt; b&#10;">&lt;skipped /&gt;</failure>
    </testcase>
  </testsuite>
</testsuites>`;

test("a report gives each test its titles from the outside in", () => {
  expect(parseJunit(REPORT).map(({ name }) => name)).toEqual([
    'outer & "more" > inner > t1',
    "t2 (needs x)",
    "t3",
  ]);
});

test("a test passed, was skipped or failed", () => {
  expect(parseJunit(REPORT).map(({ outcome }) => outcome)).toEqual(["passed", "skipped", "failed"]);
});

test("times are seconds and files are kept", () => {
  expect(parseJunit(REPORT)[0]).toMatchObject({ seconds: 0.25, file: "a.test.ts" });
});

test("an empty or broken report holds no tests", () => {
  expect([...parseJunit(""), ...parseJunit("<testsuites><testcase")]).toEqual([]);
});
