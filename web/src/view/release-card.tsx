/** One release: what it is, and who gets it. */

import { useSignal } from "@preact/signals";
import type { Releases } from "../app/releases";
import { size } from "../core/app/updates";
import type { Release } from "../protocol/release";
import { PauseIcon, PlayIcon, TrashIcon } from "./icons";

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
        <span>
          {date(release.uploaded_at)}
          {release.uploaded_by === null ? "" : ` by ${release.uploaded_by}`}
        </span>
        <span title={`SHA-256 ${release.sha256}`}>signed by {release.signer}</span>
      </p>
      {notes !== null && <p class="release-notes">{notes}</p>}
      <label class="field">
        <span class="field-head">
          Offered to <output>{moving.value ?? rollout} % of the cars</output>
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
          {paused ? "Resume" : "Pause"}
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
              Keep
            </button>
            <button
              type="button"
              class="button danger"
              data-testid={`remove-${version}`}
              onClick={() => void releases.remove(version)}
            >
              Remove for good
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
            Remove
          </button>
        )}
      </div>
    </li>
  );
}

function status({ paused, rollout }: Release): { tone: string; text: string } {
  if (paused) return { tone: "busy", text: "Paused" };
  if (rollout === 0) return { tone: "", text: "For no car yet" };
  return rollout === 100
    ? { tone: "available", text: "For all cars" }
    : { tone: "part", text: `${rollout} % of the cars` };
}

function date(unixSeconds: number): string {
  return new Date(unixSeconds * 1000).toLocaleDateString(undefined, {
    day: "numeric",
    month: "short",
    year: "numeric",
  });
}
