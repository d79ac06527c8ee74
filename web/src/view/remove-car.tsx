/** Giving a car away: the dialog asks first. */

import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import type { App } from "../app/app";
import type { CarInfo } from "../protocol/common";
import { t } from "../words/words";

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
      <h2 id="remove-car-title">{t().cars.removeThis(car.name)}</h2>
      <p class="muted">{t().cars.removeText}</p>
      {trouble.value !== null && (
        <p class="trouble" role="alert">
          {trouble}
        </p>
      )}
      <div class="row">
        <button type="button" class="button" autofocus onClick={() => dialog.current?.close()}>
          {t().cars.keepIt}
        </button>
        <button
          type="button"
          class="button danger"
          data-testid="remove-confirm"
          onClick={() => void remove()}
        >
          {t().cars.removeIt}
        </button>
      </div>
    </dialog>
  );
}
