/** The tests of lib/pq, a client of Go: a checkout. */
import { environmentOf, type Outcome, runProgram, type Suite } from "./outcome.ts";

const LIMIT_MS = 400_000;

const REASON_LENGTH = 300;

export const libPq: Suite = {
  settings: "",
  users: ["postgres", "pqgotest"],
  run: async (checkout, way, only) => {
    const { output } = await runProgram({
      argv: [
        "go",
        "test",
        "-json",
        "-vet=off",
        "-count=1",
        "-timeout=5m",
        ...(only === "" ? [] : ["-run", only]),
        ".",
      ],
      cwd: checkout,
      env: {
        ...environmentOf(way.port, "postgres"),
        PGSSLMODE: "disable",
        GOFLAGS: "-mod=mod",
      },
      limitMs: LIMIT_MS,
    });
    const said = new Map<string, string>();
    const outcomes: Outcome[] = [];
    for (const line of output.split("\n").filter((text) => text.startsWith("{"))) {
      const { Action, Test = "all", Output = "" } = JSON.parse(line) as Record<string, string | undefined>;
      if (Action === "output") said.set(Test, (said.get(Test) ?? "") + Output);
      if (Action === "pass" || Action === "fail") {
        const reason = (said.get(Test) ?? "").replaceAll(/\s+/g, " ").slice(-REASON_LENGTH);
        outcomes.push({ name: Test, passed: Action === "pass", reason });
      }
    }
    return outcomes;
  },
};
