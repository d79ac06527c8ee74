/** One release: what it is, and who gets it. */

import { useSignal } from "@preact/signals";
import type { Releases } from "../app/releases";
import { size } from "../core/app/updates";
import type { Release } from "../protocol/release";
import { PauseIcon, PlayIcon, TrashIcon } from "./icons";
import { Rich } from "./rich";
import { day, t } from "../words/words";

export function ReleaseCard({ release, releases }: { release: Release; releases: Releases }) {
  const { version, paused, rollout, notes } = release;
  /** Place of the slider while it moves; the host gets only the last one. */
  const moving = useSignal<number | null>(null);
  const asked = useSignal(false);
  const pill = status(release);
  return (
    <li class={`release panel ${paused ? "paused" : ""}`} data-testid={`release-${version}`}>
      <div class="release-head">
        <h2>{version}</h2>
        <span class={`pill ${pill.tone}`}>{pill.text}</span>
      </div>
      <p class="muted small release-facts">
        <span>{release.compatible}</span>
        <span>{size(release.size)}</span>
        <span>{release.channels.join(", ")}</span>
        <span>{t().releases.by(day(release.uploaded_at), release.uploaded_by)}</span>
        <span title={`SHA-256 ${release.sha256}`}>{t().releases.signedBy(release.signer)}</span>
      </p>
      {notes !== null && <p class="release-notes">{notes}</p>}
      <label class="field">
        <span class="field-head">
          <Rich
            text={t().releases.offered}
            slots={{ share: <output>{t().releases.share(moving.value ?? rollout)}</output> }}
          />
        </span>
        <input
          type="range"
          min={0}
          max={100}
          step={5}
          value={moving.value ?? rollout}
          disabled={paused}
          data-testid={`rollout-${version}`}
          onInput={(event) => (moving.value = event.currentTarget.valueAsNumber)}
          onChange={(event) => {
            const wanted = event.currentTarget.valueAsNumber;
            void releases.change(version, { rollout: wanted }).then(() => (moving.value = null));
          }}
        />
      </label>
      <div class="row">
        <button
          type="button"
          class="button"
          data-testid={`pause-${version}`}
          onClick={() => void releases.change(version, { paused: !paused })}
        >
          {paused ? <PlayIcon /> : <PauseIcon />}
          {paused ? t().releases.resume : t().releases.pause}
        </button>
        <span class="grow" />
        {asked.value ? (
          <>
            <button
              type="button"
              class="button"
              ref={(keep) => keep?.focus()}
              onClick={() => (asked.value = false)}
            >
              {t().releases.keep}
            </button>
            <button
              type="button"
              class="button danger"
              data-testid={`remove-${version}`}
              onClick={() => void releases.remove(version)}
            >
              {t().releases.removeForGood}
            </button>
          </>
        ) : (
          <button
            type="button"
            class="button quiet"
            data-testid={`ask-remove-${version}`}
            onClick={() => (asked.value = true)}
          >
            <TrashIcon />
            {t().releases.remove}
          </button>
        )}
      </div>
    </li>
  );
}

function status({ paused, rollout }: Release): { tone: string; text: string } {
  if (paused) return { tone: "busy", text: t().releases.paused };
  if (rollout === 0) return { tone: "", text: t().releases.forNone };
  return rollout === 100
    ? { tone: "available", text: t().releases.forAll }
    : { tone: "part", text: t().releases.share(rollout) };
}
