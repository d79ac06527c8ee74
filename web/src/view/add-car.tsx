/** The dialog that adds one car: by a file for its card, or by the code that it shows. */

import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import type { App } from "../app/app";
import type { Enrolment } from "../core/app/http";
import { ClaimCar } from "./claim-car";
import { Field, Form, text } from "./form";
import { CloseIcon, CopyIcon, DownloadIcon } from "./icons";

export function AddCarDialog({ app, close }: { app: App; close: () => void }) {
  const dialog = useRef<HTMLDialogElement>(null);
  const enrolment = useSignal<Enrolment | null>(null);
  const name = useSignal("");
  useEffect(() => dialog.current?.showModal(), []);
  const make = async (url: string) => {
    const answer = await app.enrol(name.value, url);
    if (typeof answer === "string") return answer;
    enrolment.value = answer;
    return null;
  };
  const ask = async (fields: FormData) => {
    name.value = text(fields, "name").trim();
    return await make("");
  };
  return (
    <dialog ref={dialog} class="dialog" aria-labelledby="add-car-title" onClose={close}>
      <div class="dialog-head">
        <h2 id="add-car-title">Add a car</h2>
        <button
          type="button"
          class="button quiet square"
          aria-label="Close"
          onClick={() => dialog.current?.close()}
        >
          <CloseIcon />
        </button>
      </div>
      {enrolment.value === null ? (
        <>
          <section class="way">
            <h3>Its card is in your computer</h3>
            <Form action="Make its file" testid="enrol-submit" submit={ask}>
              <Field
                label="Name of the car"
                name="name"
                testid="enrol-name"
                autocomplete="off"
                placeholder="Blitz"
                optional
              />
            </Form>
          </section>
          <ClaimCar app={app} />
        </>
      ) : (
        <CardFile enrolment={enrolment.value} again={() => (enrolment.value = null)} make={make} />
      )}
    </dialog>
  );
}

interface CardFileProps {
  readonly enrolment: Enrolment;
  readonly again: () => void;
  /** Makes the file again with this address of the host; returns a message for the person. */
  readonly make: (url: string) => Promise<string | null>;
}

function CardFile({ enrolment, again, make }: CardFileProps) {
  const now = useSignal(Date.now() / 1000);
  useEffect(() => {
    const ticks = setInterval(() => (now.value = Date.now() / 1000), 1000);
    return () => clearInterval(ticks);
  }, []);
  const left = enrolment.expires_at - now.value;
  return (
    <>
      {enrolment.url === null ? (
        <AskAddress make={make} />
      ) : (
        <>
          <ol class="steps">
            <li>
              Download the file and put it onto the SD card in the place of the{" "}
              <code>provision.toml</code> there.
            </li>
            <li>Open it with a text editor and fill in your Wi-Fi. Every line explains itself.</li>
            <li>Put the card into the car and switch it on. It appears in the list by itself.</li>
          </ol>
          <a
            class="button primary wide"
            download="provision.toml"
            data-testid="provision-download"
            href={`data:text/plain;charset=utf-8,${encodeURIComponent(enrolment.provision)}`}
          >
            <DownloadIcon />
            Download provision.toml
          </a>
        </>
      )}
      <details class="small">
        <summary class="muted">For a car without a card: the lines of its car.toml</summary>
        <Config config={enrolment.config} />
      </details>
      <p class={`small ${left > 0 ? "muted" : "trouble"}`}>
        {left > 0
          ? `The token in it lets one car in, once. It expires in ${duration(left)}.`
          : "The token has expired."}{" "}
        {left <= 0 && (
          <button type="button" class="link" onClick={again}>
            Make another file
          </button>
        )}
      </p>
    </>
  );
}

/** This page was opened on the host itself, under an address that means the car to a car. */
function AskAddress({ make }: { make: (url: string) => Promise<string | null> }) {
  return (
    <section class="way">
      <p>
        You opened this page at <code>{location.host}</code>. For the car, that is the car itself.
        Under which address do other machines find this host?
      </p>
      <Form
        action="Make its file"
        testid="enrol-address-submit"
        submit={(fields) => make(text(fields, "address").trim())}
      >
        <Field
          label="Address of this host"
          name="address"
          testid="enrol-address"
          autocomplete="url"
          placeholder="http://192.168.1.20:8080"
        />
      </Form>
    </section>
  );
}

function Config({ config }: { config: string }) {
  const said = useSignal("");
  const code = useRef<HTMLElement>(null);
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(config);
      said.value = "Copied.";
    } catch {
      // Pages without HTTPS have no clipboard: selects the text instead.
      if (code.current) getSelection()?.selectAllChildren(code.current);
      said.value = "Selected. Copy it with your keyboard.";
    }
  };
  return (
    <>
      <pre class="config">
        <code ref={code} data-testid="enrolment-config">
          {config}
        </code>
      </pre>
      <div class="row">
        <button type="button" class="button" onClick={() => void copy()}>
          <CopyIcon />
          Copy
        </button>
        <span class="muted small grow" role="status">
          {said}
        </span>
      </div>
    </>
  );
}

function duration(seconds: number): string {
  if (seconds >= 7200) return `${Math.round(seconds / 3600)} hours`;
  return seconds >= 120 ? `${Math.round(seconds / 60)} minutes` : `${Math.ceil(seconds)} s`;
}
