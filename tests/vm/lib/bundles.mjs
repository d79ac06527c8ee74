// Releases to update to: good ones, and every kind that a car must refuse. Made from the results of
// `make image`, in out/vm/bundles.
import { mkdirSync } from 'node:fs';
import { tool } from './tools.mjs';
import { bundle, version } from './images.mjs';
import { seconds } from './patience.mjs';

const maker = new URL('../tools/bundle', import.meta.url).pathname;
const applicationRelease = new URL('../tools/application-release', import.meta.url).pathname;
const directory = new URL('../../../out/vm/bundles', import.meta.url).pathname;

/** The n-th version after the image's own. */
const after = (n) => {
  const [major, minor] = version().match(/\d+/g).map(Number);
  return `${major}.${minor + n}.0`;
};

async function make(name, number, ...options) {
  mkdirSync(directory, { recursive: true });
  const file = `${directory}/${name}.raucb`;
  await tool(maker, [bundle(), file, '--version', number, ...options], { within: seconds(600) });
  return { version: number, file, certificate: `${file}.pem` };
}

export const bundles = {
  /** A good one. Every file of the root is compressed again, so it is a full update. */
  next: () => make('next', after(1), '--change', ':'),
  /** A good one in which only our programs differ. */
  async application() {
    const number = after(7);
    mkdirSync(directory, { recursive: true });
    const file = `${directory}/application.raucb`;
    await tool(applicationRelease, [file, number], { within: seconds(1500) });
    return { version: number, file };
  },
  /** Its first program is missing: the kernel has nothing to start. */
  dead: () => make('dead', after(2), '--change', 'rm usr/lib/systemd/systemd'),
  /** It starts, and rccar-car does not. */
  unhealthy: () => make('unhealthy', after(3), '--change', 'ln -sf /bin/false usr/bin/rccar-car'),
  /** Signed by a key that cars do not trust. */
  foreign: () => make('foreign', after(4), '--foreign'),
  /** For another board. */
  otherBoard: () => make('other-board', after(5), '--compatible', 'rccar-toaster'),
  /** Good, to be damaged on the host. */
  damaged: () => make('damaged', after(6)),
  /** Older than the image. */
  old: () => make('old', '0.0.1'),
};
