// Keys and real signed bundles, made by OpenSSL and RAUC.
import { execFile, spawnSync } from 'node:child_process';
import { promisify } from 'node:util';

const maker = new URL('../../bundles/make', import.meta.url).pathname;

/** What is missing on this machine, or an empty text. */
export function missingTools() {
  const { status, stderr } = spawnSync(maker, ['tools'], { encoding: 'utf8' });
  return status === 0 ? '' : stderr.trim();
}

/**
 * Runs `key NAME`, `bundle OUT VERSION BOARD NAME`, … in a folder; see `tests/bundles/make`.
 */
export async function make(directory, ...args) {
  await promisify(execFile)(maker, args, { cwd: directory });
}
