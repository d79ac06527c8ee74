/** Writes the card's file: the template of the host with values in it. */

export interface Table {
  readonly name: string;
  /** Another one of this name: `[[name]]`. */
  readonly further?: true;
  readonly entries: (readonly [key: string, value: string | number | boolean])[];
}

/** The tables alone, without a word between. */
export function lines(tables: readonly Table[]): string {
  return tables
    .map((table) => `${heading(table)}\n${table.entries.map(entry).join("")}`)
    .join("\n");
}

/**
 * The template with these values. A line `# key = example` below the table's heading becomes
 * `key = value`; further tables follow the first of their name.
 */
export function fill(template: string, tables: readonly Table[]): string {
  const left = tables.map((table) => ({ ...table, entries: [...table.entries] }));
  const [first, further] = [
    left.filter((table) => !table.further),
    left.filter((table) => table.further),
  ];
  const out: string[] = [];
  let name = "";
  /** What the template has no line for, and further tables, before the next heading. */
  const close = () => {
    const table = first.find((known) => known.name === name);
    const rest = table ? table.entries.splice(0).map(entry).join("") : "";
    const more = lines(further.filter((known) => known.name === name));
    const added = [rest, more].filter((text) => text !== "").join("\n");
    if (added === "") return;
    if (out.at(-1) !== "") out.push("");
    out.push(...added.split("\n"));
  };
  for (const line of template.split("\n")) {
    if (line.startsWith("[")) {
      close();
      name = line.replace(/^\[|\].*$/gu, "");
    }
    const key = /^(?:# )?([a-z_]+) = /u.exec(line)?.[1];
    const entries = first.find((known) => known.name === name)?.entries ?? [];
    const at = entries.findIndex(([known]) => known === key);
    out.push(at < 0 ? line : entries.splice(at, 1).map(entry).join("").trimEnd());
  }
  close();
  const known = new Set(template.split("\n").filter((line) => line.startsWith("[")));
  const homeless = first.filter((table) => !known.has(heading(table)) && table.entries.length > 0);
  return out.join("\n") + (homeless.length > 0 ? `\n${lines(homeless)}` : "");
}

const heading = ({ name, further }: Table) => (further ? `[[${name}]]` : `[${name}]`);

const entry = ([key, value]: Table["entries"][number]) =>
  `${key} = ${typeof value === "string" ? quoted(value) : value}\n`;

/**
 * A basic string (TOML 1.0). What has no ink of its own is written as a number: then an editor
 * shows that it is there, and no program takes it for an accident.
 */
function quoted(text: string): string {
  const written = Array.from(text, (c) => {
    if (c === '"' || c === "\\") return `\\${c}`;
    const seen = c === " " || (/[\p{L}\p{M}\p{N}\p{P}\p{S}]/u.test(c) && !/\p{DI}/u.test(c));
    if (seen && c !== "\ufffd") return c;
    const digits = (c.codePointAt(0) ?? 0).toString(16);
    return digits.length > 4 ? `\\U${digits.padStart(8, "0")}` : `\\u${digits.padStart(4, "0")}`;
  });
  return `"${written.join("")}"`;
}
