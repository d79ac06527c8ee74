/** The people of a host, for its admins. */

import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import type { App } from "../app/app";
import type { PassOn, People } from "../app/people";
import type { Person, ServerInfo } from "../core/app/http";
import { CopyText } from "./copy";
import { ThemeSwitch } from "./display";
import { Field, Form, text } from "./form";
import { Top } from "./top";
import { moment, t } from "../words/words";

export function PeoplePage({ app, server }: { app: App; server: ServerInfo }) {
  const { people } = app;
  const removing = useSignal<Person | null>(null);
  useEffect(() => void people.refresh(), [people]);
  const list = people.list.value;
  const trouble = people.trouble.value;
  const link = people.link.value;
  return (
    <div class="page">
      <Top app={app} server={server} here="people" />
      <main class="content">
        <div class="headline">
          <h1>{t().people.title}</h1>
          <p class="muted">{t().people.intro}</p>
        </div>
        {trouble !== null && (
          <p class="trouble note" role="alert" data-testid="people-trouble">
            {trouble}
          </p>
        )}
        <div class="account">
          <section class="box" aria-labelledby="people-title">
            <h2 id="people-title">{t().people.accounts}</h2>
            <ul class="sign-ins people" data-testid="people" aria-busy={list === null}>
              {list?.map((person) => (
                <Row
                  key={person.name}
                  person={person}
                  people={people}
                  remove={() => (removing.value = person)}
                />
              ))}
            </ul>
          </section>
          <div class="account-side">
            {link !== null && <Link link={link} />}
            <Add people={people} />
          </div>
        </div>
      </main>
      <footer class="foot muted">
        <span>{server.software}</span>
        <span>rccar-web/{__VERSION__}</span>
        <ThemeSwitch />
      </footer>
      {removing.value && (
        <RemoveDialog
          people={people}
          person={removing.value}
          close={() => (removing.value = null)}
        />
      )}
    </div>
  );
}

interface RowProps {
  readonly person: Person;
  readonly people: People;
  readonly remove: () => void;
}

function Row({ person, people, remove }: RowProps) {
  const { name, role, cars, seen_at } = person;
  const other = role === "admin" ? "member" : "admin";
  return (
    <li data-testid={`person-${name}`}>
      <div>
        <p class="person-name">
          {name} {role === "admin" && <span class="pill part">{t().people.admin}</span>}
        </p>
        <p class="muted small">
          {t().people.cars(cars)}
          {seen_at === null ? t().people.notSignedIn : t().people.seen(moment(seen_at))}
          {!person.has_password && t().people.noPassword}
        </p>
      </div>
      <div class="row person-actions">
        <button
          type="button"
          class="button"
          aria-label={
            other === "admin" ? t().people.makeAdminOf(name) : t().people.makeMemberOf(name)
          }
          data-testid={`role-${name}`}
          onClick={() => void people.setRole(name, other)}
        >
          {other === "admin" ? t().people.makeAdmin : t().people.makeMember}
        </button>
        <button
          type="button"
          class="button"
          aria-label={t().people.linkOf(name)}
          data-testid={`link-${name}`}
          onClick={() => void people.makeLink(name)}
        >
          {t().people.link}
        </button>
        <button
          type="button"
          class="button"
          aria-label={t().people.removeOf(name)}
          data-testid={`remove-${name}`}
          onClick={remove}
        >
          {t().people.remove}
        </button>
      </div>
    </li>
  );
}

function Link({ link }: { link: PassOn }) {
  return (
    <section class="box" aria-labelledby="link-title">
      <h2 id="link-title">{t().people.linkFor(link.name)}</h2>
      <p class="muted small">{t().people.passOn(link.name, moment(link.expiresAt))}</p>
      <CopyText value={link.url} testid="person-link" />
    </section>
  );
}

function Add({ people }: { people: People }) {
  const added = useSignal(0);
  const add = async (fields: FormData) => {
    const role = fields.get("admin") === null ? "member" : "admin";
    const trouble = await people.add(text(fields, "name").trim(), role);
    if (trouble === null) added.value += 1;
    return trouble;
  };
  return (
    <section class="box" aria-labelledby="add-person-title">
      <h2 id="add-person-title">{t().people.addTitle}</h2>
      <Form key={added.value} action={t().people.add} testid="add-person" submit={add}>
        <Field label={t().people.name} name="name" testid="person-name" autocomplete="off" />
        <label class="check">
          <input type="checkbox" name="admin" data-testid="person-admin" />
          <span>{t().people.adminDoes}</span>
        </label>
      </Form>
      <p class="muted small">{t().people.linkComes}</p>
    </section>
  );
}

interface RemoveProps {
  readonly people: People;
  readonly person: Person;
  readonly close: () => void;
}

function RemoveDialog({ people, person, close }: RemoveProps) {
  const dialog = useRef<HTMLDialogElement>(null);
  const trouble = useSignal<string | null>(null);
  const heir = useSignal("");
  useEffect(() => dialog.current?.showModal(), []);
  const remove = async () => {
    trouble.value = await people.remove(person.name, heir.value === "" ? null : heir.value);
    if (trouble.value === null) dialog.current?.close();
  };
  const others = people.list.value?.filter(({ name }) => name !== person.name) ?? [];
  return (
    <dialog ref={dialog} class="dialog" aria-labelledby="remove-person-title" onClose={close}>
      <h2 id="remove-person-title">{t().people.removeThis(person.name)}</h2>
      <p class="muted">{t().people.removeText(person.name)}</p>
      {person.cars > 0 && (
        <label class="field">
          <span>{t().people.carsGoTo(person.cars)}</span>
          <select
            value={heir.value}
            data-testid="heir"
            onChange={(event) => (heir.value = event.currentTarget.value)}
          >
            <option value="">{t().people.nobody}</option>
            {others.map(({ name }) => (
              <option key={name} value={name}>
                {name}
              </option>
            ))}
          </select>
        </label>
      )}
      {trouble.value !== null && (
        <p class="trouble" role="alert">
          {trouble}
        </p>
      )}
      <div class="row">
        <button type="button" class="button" autofocus onClick={() => dialog.current?.close()}>
          {t().people.keep}
        </button>
        <button
          type="button"
          class="button danger"
          data-testid="remove-person-confirm"
          onClick={() => void remove()}
        >
          {t().people.removeIt}
        </button>
      </div>
    </dialog>
  );
}
