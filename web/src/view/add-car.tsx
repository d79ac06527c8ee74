/** The dialog that adds one car: by a file for its card, or by the code that it shows. */

import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import type { App } from "../app/app";
import type { Addresses, Enrolment } from "../core/app/http";
import { EMPTY, file, type Card } from "../core/card/card";
import { CardForm } from "./card-form";
import { ClaimCar } from "./claim-car";
import { CopyText } from "./copy";
import { Field, Form, text } from "./form";
import { CloseIcon, DownloadIcon } from "./icons";

interface Props {
  readonly app: App;
  /** A code that came with the page's address; `null`: the dialog was opened here. */
  readonly code: string | null;
  readonly close: () => void;
}

export function AddCarDialog({ app, code, close }: Props) {
  const dialog = useRef<HTMLDialogElement>(null);
  const enrolment = useSignal<Enrolment | null>(null);
  const card = useSignal<Card>(EMPTY);
  const address = useSignal("");
  const known = useSignal<Addresses | null>(null);
  useEffect(() => {
    dialog.current?.showModal();
    void app.addresses().then((answer) => (known.value = answer));
  }, []);
  const make = async (url: string) => {
    const answer = await app.enrol(card.value.name.trim(), url);
    if (typeof answer === "string") return answer;
    enrolment.value = answer;
    return null;
  };
  const addresses = known.value?.addresses ?? [];
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
      {enrolment.value !== null ? (
        <CardFile
          enrolment={enrolment.value}
          card={card.value}
          localOnly={known.value?.local_only === true}
          again={() => (enrolment.value = null)}
          make={make}
        />
      ) : (
        <>
          {code !== null && <ClaimCar app={app} code={code} phone={null} />}
          <section class="way">
            <h3>Its card is in your computer</h3>
            <CardForm
              card={card}
              address={address}
              addresses={addresses}
              make={async () => await make(address.value)}
            />
          </section>
          {code === null && <ClaimCar app={app} code="" phone={addresses[0] ?? null} />}
        </>
      )}
    </dialog>
  );
}

interface CardFileProps {
  readonly enrolment: Enrolment;
  readonly card: Card;
  /** Nothing but the host's own machine reaches it. */
  readonly localOnly: boolean;
  readonly again: () => void;
  /** Makes the file again with this address of the host; returns a message for the person. */
  readonly make: (url: string) => Promise<string | null>;
}

function CardFile({ enrolment, card, localOnly, again, make }: CardFileProps) {
  const now = useSignal(Date.now() / 1000);
  useEffect(() => {
    const ticks = setInterval(() => (now.value = Date.now() / 1000), 1000);
    return () => clearInterval(ticks);
  }, []);
  const left = enrolment.expires_at - now.value;
  return (
    <>
      {enrolment.url === null ? (
        <AskAddress localOnly={localOnly} make={make} />
      ) : (
        <>
          <ol class="steps">
            <li>
              Download the file and put it onto the SD card in the place of the{" "}
              <code>provision.toml</code> there.
            </li>
            <li>Put the card into the car and switch it on. It appears in the list by itself.</li>
          </ol>
          <a
            class="button primary wide"
            download="provision.toml"
            data-testid="provision-download"
            href={`data:text/plain;charset=utf-8,${encodeURIComponent(file(enrolment.provision, card))}`}
          >
            <DownloadIcon />
            Download provision.toml
          </a>
          <button type="button" class="button wide" data-testid="card-change" onClick={again}>
            Change something
          </button>
        </>
      )}
      <details class="small">
        <summary class="muted">For a car without a card: the lines of its car.toml</summary>
        <CopyText value={enrolment.config} testid="enrolment-config" />
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
interface AskAddressProps {
  readonly localOnly: boolean;
  readonly make: (url: string) => Promise<string | null>;
}

function AskAddress({ localOnly, make }: AskAddressProps) {
  return (
    <section class="way">
      <p>
        You opened this page at <code>{location.host}</code>. For the car, that is the car itself.
        Under which address do other machines find this host?
      </p>
      {localOnly && (
        <p class="trouble" data-testid="local-only">
          This host listens to its own machine only, so no car reaches it. Unless a proxy stands in
          front of it, set <code>listen = ["0.0.0.0:8080"]</code> below <code>[http]</code> in its
          configuration, and start it again.
        </p>
      )}
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

function duration(seconds: number): string {
  if (seconds >= 7200) return `${Math.round(seconds / 3600)} hours`;
  return seconds >= 120 ? `${Math.round(seconds / 60)} minutes` : `${Math.ceil(seconds)} s`;
}
