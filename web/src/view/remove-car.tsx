/** Giving a car away: the dialog asks first. */

import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import type { App } from "../app/app";
import type { CarInfo } from "../protocol/common";

export function RemoveCarDialog({
  app,
  car,
  close,
}: {
  app: App;
  car: CarInfo;
  close: () => void;
}) {
  const dialog = useRef<HTMLDialogElement>(null);
  const trouble = useSignal<string | null>(null);
  useEffect(() => dialog.current?.showModal(), []);
  const remove = async () => {
    trouble.value = await app.revoke(car.id);
    if (trouble.value === null) dialog.current?.close();
  };
  return (
    <dialog ref={dialog} class="dialog" aria-labelledby="remove-car-title" onClose={close}>
      <h2 id="remove-car-title">Remove {car.name}?</h2>
      <p class="muted">
        A drive under way ends at once. The car then shows a code on its own page, and whoever types
        that code here owns it.
      </p>
      {trouble.value !== null && (
        <p class="trouble" role="alert">
          {trouble}
        </p>
      )}
      <div class="row">
        <button type="button" class="button" autofocus onClick={() => dialog.current?.close()}>
          Keep it
        </button>
        <button
          type="button"
          class="button danger"
          data-testid="remove-confirm"
          onClick={() => void remove()}
        >
          Remove it
        </button>
      </div>
    </dialog>
  );
}
