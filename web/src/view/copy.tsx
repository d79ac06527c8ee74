/** A text that people copy. */

import { useSignal } from "@preact/signals";
import { useRef } from "preact/hooks";
import { CopyIcon } from "./icons";

export function CopyText({ value, testid }: { value: string; testid: string }) {
  const said = useSignal("");
  const code = useRef<HTMLElement>(null);
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(value);
      said.value = "Copied.";
    } catch {
      // Pages without HTTPS have no clipboard: selects the text instead.
      if (code.current) getSelection()?.selectAllChildren(code.current);
      said.value = "Selected. Copy it with your keyboard.";
    }
  };
  return (
    <>
      <pre class="config">
        <code ref={code} data-testid={testid}>
          {value}
        </code>
      </pre>
      <div class="row">
        <button type="button" class="button" onClick={() => void copy()}>
          <CopyIcon />
          Copy
        </button>
        <span class="muted small grow" role="status">
          {said}
        </span>
      </div>
    </>
  );
}
