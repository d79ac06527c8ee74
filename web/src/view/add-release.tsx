/** The form that uploads a bundle, and the host's verdict on it. */

import { useSignal } from "@preact/signals";
import { useRef } from "preact/hooks";
import type { Releases, UploadState } from "../app/releases";
import { size } from "../core/app/updates";
import { CheckIcon, CloseIcon, UploadIcon } from "./icons";
import { Rich } from "./rich";
import { Bar } from "./update-line";
import { t } from "../words/words";

export function AddRelease({ releases }: { releases: Releases }) {
  const bundle = useSignal<File | null>(null);
  const channel = useSignal("stable");
  const rollout = useSignal(100);
  const notes = useSignal("");
  const dragged = useSignal(false);
  const input = useRef<HTMLInputElement>(null);
  const list = releases.list.value;
  const state = releases.uploading.value;
  const busy = state.phase === "sending" || state.phase === "checking";
  const choose = (file: File | null | undefined) => {
    if (file) bundle.value = file;
    releases.dismiss();
  };
  const send = async () => {
    if (!bundle.value) return;
    await releases.add(bundle.value, {
      channel: channel.value.trim(),
      rollout: rollout.value,
      notes: notes.value,
    });
    if (releases.uploading.peek().phase !== "taken") return;
    bundle.value = null;
    notes.value = "";
    if (input.current) input.current.value = "";
  };
  if (list !== null && !list.accepts_uploads) return <NoKeyring />;
  return (
    <form
      class="panel add-release"
      onSubmit={(event) => {
        event.preventDefault();
        void send();
      }}
    >
      <h2>{t().releases.add}</h2>
      <label
        class={`drop ${dragged.value ? "over" : ""}`}
        onDragOver={(event) => {
          event.preventDefault();
          dragged.value = true;
        }}
        onDragLeave={() => (dragged.value = false)}
        onDrop={(event) => {
          event.preventDefault();
          dragged.value = false;
          if (!busy) choose(event.dataTransfer?.files[0]);
        }}
      >
        <input
          ref={input}
          class="visually-hidden"
          type="file"
          accept=".raucb"
          disabled={busy}
          data-testid="release-file"
          onChange={(event) => choose(event.currentTarget.files?.[0])}
        />
        <UploadIcon />
        {bundle.value === null ? (
          <span>
            <Rich
              text={t().releases.choose}
              slots={{ kind: <span class="muted">(.raucb)</span> }}
            />
          </span>
        ) : (
          <span class="drop-name">
            {bundle.value.name} <span class="muted">{size(bundle.value.size)}</span>
          </span>
        )}
      </label>
      <Outcome state={state} cancel={() => releases.cancel()} dismiss={() => releases.dismiss()} />
      <label class="field">
        {t().releases.channel}
        <input
          value={channel.value}
          list="channels"
          required
          maxLength={32}
          pattern="[a-z0-9\-]+"
          title={t().releases.channelHint}
          autocomplete="off"
          data-testid="release-channel"
          onInput={(event) => (channel.value = event.currentTarget.value)}
        />
        <datalist id="channels">
          {channels(releases).map((name) => (
            <option key={name} value={name} />
          ))}
        </datalist>
      </label>
      <label class="field">
        <span class="field-head">
          <Rich text={t().releases.howMany} slots={{ share: <output>{rollout.value} %</output> }} />
        </span>
        <input
          type="range"
          min={0}
          max={100}
          step={5}
          value={rollout.value}
          data-testid="release-rollout"
          onInput={(event) => (rollout.value = event.currentTarget.valueAsNumber)}
        />
      </label>
      <label class="field">
        {t().releases.whatIsNew}
        <textarea
          rows={3}
          maxLength={1300}
          value={notes.value}
          data-testid="release-notes"
          onInput={(event) => (notes.value = event.currentTarget.value)}
        />
      </label>
      {!busy && (
        <button
          type="submit"
          class="button primary wide"
          disabled={bundle.value === null}
          data-testid="release-upload"
        >
          {t().releases.upload}
        </button>
      )}
    </form>
  );
}

function Outcome({
  state,
  cancel,
  dismiss,
}: {
  state: UploadState;
  cancel: () => void;
  dismiss: () => void;
}) {
  switch (state.phase) {
    case "idle":
      return null;
    case "sending":
    case "checking": {
      const percent =
        state.phase === "checking" ? 100 : (state.sent / Math.max(1, state.total)) * 100;
      const text = state.phase === "checking" ? t().releases.checking : t().releases.uploading;
      return (
        <div class="verdict" role="status" data-testid="release-progress">
          <p class="update-text">
            <span>{text}</span>
            <span class="update-percent">{Math.floor(percent)} %</span>
          </p>
          <Bar percent={percent} label={text} />
          {state.phase === "sending" && (
            <p class="row muted small">
              <span class="grow">{t().releases.sizeOf(size(state.sent), size(state.total))}</span>
              <button type="button" class="link" onClick={cancel}>
                {t().releases.cancel}
              </button>
            </p>
          )}
        </div>
      );
    }
    case "taken":
      return (
        <div class="verdict good" role="status" data-testid="release-verdict">
          <CheckIcon />
          <p>
            <Rich
              text={t().releases.taken}
              slots={{
                version: <strong>{state.release.version}</strong>,
                signer: <strong>{state.release.signer}</strong>,
                board: state.release.compatible,
              }}
            />
          </p>
          <Dismiss dismiss={dismiss} />
        </div>
      );
    case "refused":
      return (
        <div class="verdict bad" role="alert" data-testid="release-verdict">
          <p>
            <strong>{t().releases.refused(state.name)}</strong>
            <br />
            {state.why}
          </p>
          <Dismiss dismiss={dismiss} />
        </div>
      );
  }
}

function Dismiss({ dismiss }: { dismiss: () => void }) {
  return (
    <button
      type="button"
      class="button quiet square"
      aria-label={t().releases.dismiss}
      onClick={dismiss}
    >
      <CloseIcon />
    </button>
  );
}

function NoKeyring() {
  return (
    <section class="panel add-release">
      <h2>{t().releases.add}</h2>
      <p class="muted">
        <Rich text={t().releases.noKeyring} />
      </p>
    </section>
  );
}

function channels(releases: Releases): string[] {
  const used = releases.list.value?.releases.flatMap((release) => release.channels) ?? [];
  return [...new Set(["stable", "beta", ...used])];
}
