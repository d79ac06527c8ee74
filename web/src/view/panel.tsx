/** A panel over the picture: the driver can drive meanwhile. */

import type { ComponentChildren } from "preact";
import { CloseIcon } from "./icons";

interface Props {
  /** Of the style sheets. */
  readonly kind: string;
  readonly title: string;
  readonly testid: string;
  /** Name of the button that closes it. */
  readonly closes: string;
  readonly close: () => void;
  readonly children: ComponentChildren;
}

export function Panel({ kind, title, testid, closes, close, children }: Props) {
  return (
    <section class={kind} aria-label={title} data-testid={testid}>
      <div class="dialog-head">
        <h2>{title}</h2>
        <button type="button" class="button quiet square" aria-label={closes} onClick={close}>
          <CloseIcon />
        </button>
      </div>
      {children}
    </section>
  );
}
