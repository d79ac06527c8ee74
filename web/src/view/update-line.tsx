/**
 * A car's update on its card: version, progress, why it does not go on, and the button that starts
 * it.
 */

import { useSignal } from "@preact/signals";
import type { App } from "../app/app";
import { updateWords } from "../core/app/updates";
import type { CarInfo } from "../protocol/common";
import type { UpdateStatus } from "../protocol/release";
import { t } from "../words/words";

export function UpdateLine({ update, online }: { update: UpdateStatus; online: boolean }) {
  const { tone, text, why, percent } = updateWords(update);
  return (
    <div class={`update ${tone}`} data-testid="update" data-state={update.state}>
      <p class="update-text">
        <span>{text}</span>
        {percent !== null && <span class="update-percent">{percent} %</span>}
      </p>
      {percent !== null && <Bar percent={percent} still={!online} label={text} />}
      {why !== null && <p class="update-why">{why}</p>}
    </div>
  );
}

/** Disappears when the car reports that it no longer waits for the owner. */
export function InstallButton({ app, car, version }: { app: App; car: CarInfo; version: string }) {
  const busy = useSignal(false);
  const trouble = useSignal<string | null>(null);
  const install = async () => {
    busy.value = true;
    trouble.value = await app.install(car.id, version);
    busy.value = false;
  };
  return (
    <>
      <button
        type="button"
        class="button"
        data-testid={`install-${car.id}`}
        disabled={busy.value}
        aria-label={t().cars.installOn(version, car.name)}
        onClick={() => void install()}
      >
        {t().cars.install(version)}
      </button>
      {trouble.value !== null && (
        <p class="trouble" role="alert">
          {trouble}
        </p>
      )}
    </>
  );
}

/** `still`: without animation, as nothing moves right now. */
export function Bar({
  percent,
  label,
  still = false,
}: {
  percent: number;
  label: string;
  still?: boolean;
}) {
  return (
    <div
      class={`progress ${still ? "still" : ""}`}
      role="progressbar"
      aria-label={label}
      aria-valuemin={0}
      aria-valuemax={100}
      aria-valuenow={Math.round(percent)}
    >
      <span style={{ width: `${percent}%` }} />
    </div>
  );
}
