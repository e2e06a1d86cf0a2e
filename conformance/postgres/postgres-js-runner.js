/**
 * Stands in for `test.js` of postgres.js: one test after another, each to its end or time limit, whatever became of those
 * before it: what a failed one left of its table is removed. Says each outcome in a line of JSON.
 */
const { exec } = await import(new URL("bootstrap.js", import.meta.url).href);
const SECOND_MS = 1000;
const only = process.env.ONLY ?? "";

let turn = Promise.resolve();

export function t(name, ...rest) {
  const run = rest.at(-1);
  const seconds = rest.length > 1 ? (rest[0].timeout ?? t.timeout) : t.timeout;
  if (name.includes(only)) turn = turn.then(() => take(name, run, seconds)).then(say);
}
t.timeout = 5;

/** Left out by the authors. */
export function nt() {}
export const ot = (...all) => t(...all);

async function take(name, run, seconds) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`not done within ${seconds} s`)), seconds * SECOND_MS);
  });
  try {
    const [expected, got] = await Promise.race([run().then((both) => Promise.all(both)), late]);
    const passed = expected === got;
    return { name, passed, reason: passed ? "" : `expected ${expected}, got ${got}` };
  } catch (error) {
    return { name, passed: false, reason: String(error?.message ?? error) };
  } finally {
    clearTimeout(timer);
  }
}

function clean() {
  exec("psql", [
    "-d",
    "postgres_js_test",
    "-c",
    "set lock_timeout = 1000; drop table if exists test cascade",
  ]);
}

function say(outcome) {
  console.log(`\noutcome ${JSON.stringify(outcome)}`);
  if (!outcome.passed) clean();
}

// Whose they are cannot be told; the test that waits for what does not come then fails by its time.
for (const event of ["uncaughtException", "unhandledRejection"]) process.on(event, () => {});

// Once all tests are known.
setTimeout(() => void turn.then(() => process.exit(0)));
