// The results of `make image`.
import { existsSync, readFileSync, realpathSync } from 'node:fs';

const made = new URL('../../../out/image/', import.meta.url).pathname;

/** The card's image. */
export function image() {
  const file = process.env.RCCAR_IMAGE ?? `${made}latest.img`;
  if (!existsSync(file)) throw new Error(`${file} is missing; \`make image\` makes it`);
  return realpathSync(file);
}

/** The bundle that was made with it. */
export const bundle = () => image().replace(/\.img$/, '.raucb');

/** Modules of its kernel that no car has. */
export const testModules = () => image().replace(/\.img$/, '.test-modules.tar');

/** Its version, which is in its name. */
export const version = () => image().match(/rccar-(.+)-rpi-arm64\.img$/)[1];

/** The file of a build step's result, by the step's name. */
export const result = (step, file) =>
  `${readFileSync(`${made}.results`, 'utf8').match(new RegExp(`^${step} (.*)$`, 'm'))[1]}/${file}`;
