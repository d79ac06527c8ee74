// An ESLint rule: whatever people read stands in src/words, in all languages.

/** Marks and units that are the same in every language. */
const SAME =
  /^[\s\p{P}\p{S}\d]*(rccar(-web\/)?|km\/h|SHA-256|\.raucb|https?:\/\/|\.local|[A-Z])?[\s\p{P}\p{S}\d]*$/u;
/** Attributes and properties that people read or hear. */
const READ =
  /^(aria-label|aria-description|title|placeholder|alt|label|hint|text|closes|action|what|detail)$/u;
/** What only machines read, however it looks. */
const CODE = /^(class|kind|d|viewBox|points|transform|content|sandbox|allow|style)$/u;
/** A call that only the browser reads. */
const BROWSER = /^(matchMedia|querySelector(All)?|closest|matches|getPropertyValue)$/u;
/** At least two words with a blank between them. */
const PROSE = /\p{L}{2,}[,:.;]? \p{L}{2,}/u;

/** The attribute that the node is in, and whether it is a child of an element. */
function place(node) {
  for (let at = node.parent; at; at = at.parent) {
    if (at.type === "JSXAttribute") return { attribute: at.name.name ?? "" };
    if (at.type === "JSXElement" || at.type === "JSXFragment") return { child: true };
    // What happens on a click is no longer what the element says.
    if (/Function/u.test(at.type)) return {};
  }
  return {};
}

/** Errors and the console speak to builders; types and imports to the compiler. */
function isForBuilders(node) {
  for (let at = node.parent; at; at = at.parent) {
    if (/^(TS|Import|Export(All|Named)Decl)/u.test(at.type) && !/^TS(As|Satisfies)/u.test(at.type))
      return at.type !== "ExportNamedDeclaration";
    if (at.type === "NewExpression" && /Error$/u.test(at.callee.name ?? "")) return true;
    if (at.type === "CallExpression" && at.callee.object?.name === "console") return true;
    if (
      at.type === "CallExpression" &&
      BROWSER.test(at.callee.name ?? at.callee.property?.name ?? "")
    )
      return true;
    if (/Function|Program/u.test(at.type)) return false;
  }
  return false;
}

/** A word of a comparison, a key or a call's name is for the program: `mode === "host"`. */
function isCompared(node) {
  const { parent } = node;
  if (parent.type === "Property" && parent.key === node) return true;
  return parent.type === "BinaryExpression" || parent.type === "SwitchCase";
}

export const words = {
  meta: {
    type: "problem",
    schema: [],
    messages: { stray: "People read “{{text}}”: it belongs into src/words, in all languages." },
  },
  create(context) {
    const look = (node, text) => {
      if (SAME.test(text) || isCompared(node) || isForBuilders(node)) return;
      const { attribute, child } = place(node);
      if (attribute !== undefined && CODE.test(attribute)) return;
      const { parent } = node;
      const key = parent.type === "Property" && parent.value === node ? parent.key : null;
      const read = READ.test(attribute ?? "") || READ.test(key?.name ?? key?.value ?? "");
      // `curve("steering")`: which one, and not how it is called.
      const names = parent.type === "CallExpression" || parent.type === "ArrayExpression";
      const capital = /^\p{Lu}\p{L}/u.test(text);
      // An identifier, and the route of a page.
      if (key?.name === "name" || key?.name === "page") return;
      if ((child && (!names || capital)) || read || PROSE.test(text))
        context.report({ node, messageId: "stray", data: { text: text.trim() } });
    };
    return {
      JSXText: (node) => look(node, node.value),
      Literal: (node) => typeof node.value === "string" && look(node, node.value),
      TemplateElement: (node) => look(node, node.value.cooked ?? ""),
    };
  },
};
