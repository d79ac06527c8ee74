/** A sentence of the catalogue with marks in it: `code`, **strong**, and {slots} for elements. */

import type { ComponentChildren } from "preact";

interface Props {
  readonly text: string;
  /** What stands in place of `{name}`. Nothing in it is read as marks. */
  readonly slots?: Readonly<Record<string, ComponentChildren>>;
}

export function Rich({ text, slots = {} }: Props) {
  return (
    <>
      {text.split(/(`[^`]+`|\*\*[^*]+\*\*|\{\w+\})/u).map((part, index) => {
        const inner = part.slice(1, -1);
        if (part.startsWith("`")) return <code key={index}>{inner}</code>;
        if (part.startsWith("**")) return <strong key={index}>{inner.slice(1, -1)}</strong>;
        return part.startsWith("{") ? slots[inner] : part;
      })}
    </>
  );
}
