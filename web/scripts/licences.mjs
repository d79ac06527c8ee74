// Fails when a package that becomes part of the page has a licence that asks for more than to be named. What only builds it is not given away.
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

/** The same as in deny.toml, which says why; those that npm's packages have. */
const ALLOWED = ["MIT", "Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "ISC"];

const read = (path) =>
  JSON.parse(readFileSync(fileURLToPath(new URL(`../${path}`, import.meta.url)), "utf8"));

const ours = Object.entries(read("package-lock.json").packages).filter(
  ([path, { dev }]) => path && !dev,
);
const licences = ours.map(([path]) => {
  const { name, version, license } = read(`${path}/package.json`);
  return { name: `${name} ${version}`, license };
});
console.log(licences.map(({ name, license }) => `${name}: ${license}`).join(", "));
const refused = licences.filter(({ license }) => !ALLOWED.includes(license));
if (licences.length === 0 || refused.length > 0) {
  console.error(
    `Not allowed in the page: ${refused.map(({ name }) => name).join(", ") || "no packages were found"}`,
  );
  process.exit(1);
}
