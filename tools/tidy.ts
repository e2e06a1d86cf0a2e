/**
 * The repository as a test: rules that neither the compiler nor the linter knows.
 *
 * Each rule is a row with a name and a pure check over all files. `bin/bun tools/tidy.ts` prints what is untidy and
 * exits 1; `tidy.test.ts` runs the same, and proves each rule on a planted offence.
 */
import { PATH as ERRORS_PATH, errorsDocument } from "./errors-doc.ts";
import { EXCEPTIONS, type Exception } from "./tidy/exceptions.ts";
import { checkIoGlobals, checkLayers, checkParts } from "./tidy/imports.ts";
import { checkExamples, checkLinks } from "./tidy/markdown.ts";
import { type Problem, type Repository, readRepository } from "./tidy/repository.ts";
import {
  checkBannedCalls,
  checkDocumented,
  checkFocusedTests,
  checkHeaders,
  checkSizes,
  checkUnfinished,
} from "./tidy/source.ts";

/** Rule name -> check. A new rule is one row. */
export const RULES: Readonly<Record<string, (repository: Repository) => Problem[]>> = {
  layers: checkLayers,
  parts: checkParts,
  "io-globals": checkIoGlobals,
  "file-size": checkSizes,
  header: checkHeaders,
  tsdoc: checkDocumented,
  "banned-calls": checkBannedCalls,
  unfinished: checkUnfinished,
  "focused-tests": checkFocusedTests,
  links: checkLinks,
  examples: checkExamples,
};

/** What is untidy, exceptions taken out and stale exceptions put in. */
export function tidy(repository: Repository, exceptions: readonly Exception[] = EXCEPTIONS): Problem[] {
  const found = Object.values(RULES).flatMap((check) => check(repository));
  const stale = exceptions.filter((exception) => !found.some((problem) => excuses(exception, problem)));
  return [
    ...found.filter((problem) => !exceptions.some((exception) => excuses(exception, problem))),
    ...stale.map((exception) => ({
      rule: "exceptions",
      path: "tools/tidy/exceptions.ts",
      line: 1,
      message: `${exception.path} no longer breaks "${exception.rule}": take the exception out`,
    })),
  ];
}

function excuses(exception: Exception, problem: Problem): boolean {
  return exception.rule === problem.rule && exception.path === problem.path;
}

/** `errors-doc`: docs/errors.md says what the tables say. Apart from the rows above, since it loads the tables. */
export async function errorsProblems(repository: Repository, root: string): Promise<Problem[]> {
  const current = repository.get(ERRORS_PATH)?.text;
  if (current === (await errorsDocument(repository, root))) return [];
  const message = "differs from the error tables: run `bin/bun tools/errors-doc.ts`";
  return [{ rule: "errors-doc", path: ERRORS_PATH, line: 1, message }];
}

/** One line, clickable in most terminals. */
export function formatProblem({ path, line, rule, message }: Problem): string {
  return `${path}:${line}  ${rule}: ${message}`;
}

if (import.meta.main) {
  const root = `${import.meta.dir}/..`;
  const repository = readRepository(root);
  const problems = [...tidy(repository), ...(await errorsProblems(repository, root))];
  for (const problem of problems) console.log(formatProblem(problem));
  process.exit(problems.length === 0 ? 0 : 1);
}
