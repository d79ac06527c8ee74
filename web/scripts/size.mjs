// Prints what the page weighs on the wire and fails when it outgrows its budget.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";

/** Budget for everything the page loads, gzip, in bytes: 0.4 s on a 2.4 Mbit/s uplink shared with nothing else. */
const BUDGET = 120_000;

const dist = fileURLToPath(new URL("../dist", import.meta.url));
const files = readdirSync(dist, { recursive: true, withFileTypes: true })
  .filter((entry) => entry.isFile())
  .map((entry) => join(entry.parentPath ?? entry.path, entry.name));

/** Only a browser that installs the page asks for these. */
const isForInstallation = (name) => name.startsWith("icons/");

let total = 0;
for (const file of files) {
  const name = file.slice(dist.length + 1);
  const bytes = readFileSync(file);
  const gzip = gzipSync(bytes, { level: 9 }).length;
  if (!isForInstallation(name)) total += gzip;
  console.log(
    `${name.padEnd(36)} ${String(bytes.length).padStart(8)} B ${String(gzip).padStart(8)} B gzip${isForInstallation(name) ? ", not counted" : ""}`,
  );
}
console.log(`${"total".padEnd(47)} ${String(total).padStart(8)} B gzip of ${BUDGET} B`);
if (total > BUDGET) {
  console.error(`The page is ${total - BUDGET} B over its budget.`);
  process.exit(1);
}
