/** Taking a car from whoever drives it: the dialog asks first. */

import { useEffect, useRef } from "preact/hooks";
import type { Cockpit } from "../app/cockpit";
import { t } from "../words/words";

export function TakeCarDialog({
  cockpit,
  carName,
  close,
}: {
  cockpit: Cockpit;
  carName: string;
  close: () => void;
}) {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => dialog.current?.showModal(), []);
  return (
    <dialog ref={dialog} class="dialog" aria-labelledby="take-car-title" onClose={close}>
      <h2 id="take-car-title">{t().sharing.takeThis(carName)}</h2>
      <p class="muted">{t().sharing.takeText}</p>
      <div class="row">
        <button type="button" class="button" autofocus onClick={() => dialog.current?.close()}>
          {t().sharing.leaveIt}
        </button>
        <button
          type="button"
          class="button danger"
          data-testid="take-confirm"
          onClick={() => {
            dialog.current?.close();
            cockpit.take();
          }}
        >
          {t().sharing.takeIt}
        </button>
      </div>
    </dialog>
  );
}
