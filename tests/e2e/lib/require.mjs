// For a story that this machine cannot run. The same as `skip` of ci/lib.sh.
import { appendFileSync, readFileSync } from 'node:fs';

const exceptions = new URL('../../require/exceptions.txt', import.meta.url);

/**
 * Returns `why`, for the option `skip` of a test:
 * `{ skip: missing ? skip('tools', missing) : false }`. (An empty text would skip, too.) With
 * RCCAR_REQUIRE=1 it throws if `what` is not in tests/require/exceptions.txt.
 */
export function skip(what, why) {
  const exception = readFileSync(exceptions, 'utf8')
    .split('\n')
    .find((line) => line.startsWith(`${what}: `));
  if (!exception && process.env.RCCAR_REQUIRE === '1')
    throw new Error(
      `${what} would be skipped: ${why}. RCCAR_REQUIRE=1 forbids that; what a machine really cannot do is in tests/require/exceptions.txt`,
    );
  console.error(`SKIPPED: ${what}: ${why}`);
  const line = exception ? `EXCEPTION ${exception}` : `SKIPPED ${what}: ${why}`;
  if (process.env.RCCAR_SUMMARY) appendFileSync(process.env.RCCAR_SUMMARY, `${line}\n`);
  return why;
}
