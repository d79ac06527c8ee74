/** The dialog that lets one new car in. */

import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import type { App } from "../app/app";
import type { Enrolment } from "../api";
import { CloseIcon, CopyIcon, DownloadIcon } from "./icons";

export function AddCarDialog({ app, close }: { app: App; close: () => void }) {
  const dialog = useRef<HTMLDialogElement>(null);
  const answer = useSignal<Enrolment | string | null>(null);
  const ask = async () => {
    answer.value = null;
    answer.value = await app.enrol();
  };
  useEffect(() => {
    dialog.current?.showModal();
    void ask();
    // Once: each question uses up a token.
  }, []);
  const result = answer.value;
  return (
    <dialog ref={dialog} class="dialog" aria-labelledby="add-car-title" onClose={close}>
      <div class="dialog-head">
        <h2 id="add-car-title">Add a car</h2>
        <button type="button" class="button quiet square" aria-label="Close" onClick={() => dialog.current?.close()}>
          <CloseIcon />
        </button>
      </div>
      {result === null && <span class="spinner" />}
      {typeof result === "string" && (
        <>
          <p class="trouble" role="alert">
            {result}
          </p>
          <button type="button" class="button" onClick={() => void ask()}>
            Try again
          </button>
        </>
      )}
      {result !== null && typeof result !== "string" && <Token enrolment={result} again={() => void ask()} />}
    </dialog>
  );
}

function Token({ enrolment, again }: { enrolment: Enrolment; again: () => void }) {
  const said = useSignal("");
  const now = useSignal(Date.now() / 1000);
  const code = useRef<HTMLElement>(null);
  useEffect(() => {
    const ticks = setInterval(() => (now.value = Date.now() / 1000), 1000);
    return () => clearInterval(ticks);
  }, []);
  const left = enrolment.expires_at - now.value;
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(enrolment.config);
      said.value = "Copied.";
    } catch {
      // Pages without HTTPS have no clipboard: the text is selected instead.
      if (code.current) getSelection()?.selectAllChildren(code.current);
      said.value = "Selected. Copy it with your keyboard.";
    }
  };
  return (
    <>
      <p class="muted">
        Put this into the car's configuration, <code>car.toml</code>, on its SD card. The token lets one car in, once.
      </p>
      <pre class="config">
        <code ref={code} data-testid="enrolment-config">
          {enrolment.config}
        </code>
      </pre>
      <div class="row">
        <button type="button" class="button primary" onClick={() => void copy()}>
          <CopyIcon />
          Copy
        </button>
        <a
          class="button"
          download="car.toml"
          href={`data:text/plain;charset=utf-8,${encodeURIComponent(enrolment.config)}`}
        >
          <DownloadIcon />
          Download
        </a>
        <span class="muted small grow" role="status">
          {said}
        </span>
      </div>
      <p class={`small ${left > 0 ? "muted" : "trouble"}`}>
        {left > 0 ? `Expires in ${duration(left)}. The car appears in the list by itself.` : "This token has expired."}
        {left <= 0 && (
          <button type="button" class="link" onClick={again}>
            Get another
          </button>
        )}
      </p>
    </>
  );
}

function duration(seconds: number): string {
  if (seconds >= 7200) return `${Math.round(seconds / 3600)} hours`;
  return seconds >= 120 ? `${Math.round(seconds / 60)} minutes` : `${Math.ceil(seconds)} s`;
}
