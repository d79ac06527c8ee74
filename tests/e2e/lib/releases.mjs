// Pages and programs of releases, built from the history.
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const run = promisify(execFile);
const script = new URL('../../../ci/past-release', import.meta.url).pathname;

/**
 * Folder of the last release's `page` or `programs`. Building takes some minutes the first time;
 * ci/e2e and ci/releases do it before.
 */
export async function lastRelease(what) {
  const { stdout } = await run(script, [what]);
  return stdout.trim();
}
