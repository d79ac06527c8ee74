/** The dialog in which an owner shares a car. */

import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import type { App } from "../app/app";
import type { Share, ShareRole, Shares } from "../core/app/http";
import type { CarInfo } from "../protocol/common";
import { Field, Form, text } from "./form";
import { CloseIcon } from "./icons";
import { t } from "../words/words";

export function ShareCarDialog({ app, car, close }: { app: App; car: CarInfo; close: () => void }) {
  const dialog = useRef<HTMLDialogElement>(null);
  const shares = useSignal<Shares | null>(null);
  const trouble = useSignal<string | null>(null);
  const added = useSignal(0);
  const load = async () => {
    const answer = await app.shares(car.id);
    if (typeof answer === "string") trouble.value = answer;
    else shares.value = answer;
  };
  useEffect(() => {
    dialog.current?.showModal();
    void load();
  }, []);
  const set = async (who: string | null, role: ShareRole | null): Promise<string | null> => {
    const answer = await app.share(car.id, who, role);
    await load();
    return answer;
  };
  const change = async (who: string | null, role: ShareRole | null) => {
    trouble.value = await set(who, role);
  };
  const add = async (fields: FormData) => {
    const role = text(fields, "role") === "spectator" ? "spectator" : "driver";
    const answer = await set(text(fields, "name").trim(), role);
    if (answer === null) added.value += 1;
    return answer;
  };
  const everybody = shares.value?.everybody ?? null;
  return (
    <dialog ref={dialog} class="dialog" aria-labelledby="share-car-title" onClose={close}>
      <div class="dialog-head">
        <h2 id="share-car-title">{t().sharing.title(car.name)}</h2>
        <button
          type="button"
          class="button quiet square"
          aria-label={t().pages.close}
          onClick={() => dialog.current?.close()}
        >
          <CloseIcon />
        </button>
      </div>
      {trouble.value !== null && (
        <p class="trouble" role="alert">
          {trouble}
        </p>
      )}
      {shares.value !== null && (
        <>
          <label class="field">
            <span>{t().sharing.everybody}</span>
            <select
              value={everybody ?? "nothing"}
              data-testid="share-everybody"
              onChange={(event) => void change(null, chosen(event.currentTarget.value))}
            >
              <option value="nothing">{t().sharing.nothing}</option>
              <option value="spectator">{t().sharing.spectator}</option>
              <option value="driver">{t().sharing.driver}</option>
            </select>
          </label>
          <ul class="sign-ins" data-testid="shares">
            {shares.value.people.map((one) => (
              <Person key={one.name} share={one} change={change} />
            ))}
          </ul>
          <Form key={added.value} action={t().sharing.share} testid="share-submit" submit={add}>
            <Field label={t().sharing.account} name="name" testid="share-name" autocomplete="off" />
            <label class="field">
              <span>{t().sharing.may}</span>
              <select name="role" data-testid="share-role">
                <option value="driver">{t().sharing.driver}</option>
                <option value="spectator">{t().sharing.spectator}</option>
              </select>
            </label>
          </Form>
          <p class="muted small">{t().sharing.endsAtOnce}</p>
        </>
      )}
    </dialog>
  );
}

interface PersonProps {
  readonly share: Share;
  readonly change: (who: string, role: ShareRole | null) => Promise<void>;
}

function Person({ share: { name, role }, change }: PersonProps) {
  return (
    <li data-testid={`share-${name}`}>
      <div>
        <p class="person-name">{name}</p>
        <p class="muted small">{role === "driver" ? t().sharing.driver : t().sharing.spectator}</p>
      </div>
      <button
        type="button"
        class="button"
        aria-label={t().sharing.takeBackFrom(name)}
        data-testid={`unshare-${name}`}
        onClick={() => void change(name, null)}
      >
        {t().sharing.takeBack}
      </button>
    </li>
  );
}

function chosen(value: string): ShareRole | null {
  return value === "driver" || value === "spectator" ? value : null;
}
