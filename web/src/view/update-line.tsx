/** A car's update on its card: version, progress, and why it does not go on. */

import { updateWords } from "../app/updates";
import type { UpdateStatus } from "../protocol/release";

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

/** `still`: nothing moves right now. */
export function Bar({ percent, label, still = false }: { percent: number; label: string; still?: boolean }) {
  return (
    <div
      class={`bar ${still ? "still" : ""}`}
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
