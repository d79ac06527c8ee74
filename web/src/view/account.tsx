/** A person's own account. */

import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import type { App } from "../app/app";
import type { ServerInfo, SignIn } from "../core/app/http";
import { ThemeSwitch } from "./display";
import { Field, Form, text } from "./form";
import { NewPasswordFields, withNewPassword } from "./sign-in";
import { Top } from "./top";
import { day, moment, t } from "../words/words";

export function AccountPage({ app, server }: { app: App; server: ServerInfo }) {
  useEffect(() => void app.account.refresh(), [app]);
  const account = app.account.account.value;
  const trouble = app.account.trouble.value;
  return (
    <div class="page">
      <Top app={app} server={server} here="account" />
      <main class="content">
        <div class="headline">
          <h1>{t().account.title}</h1>
          <p class="muted">{server.user}</p>
        </div>
        {trouble !== null && (
          <p class="trouble note" role="alert" data-testid="account-trouble">
            {trouble}
          </p>
        )}
        {account !== null && (
          <div class="account">
            <SignIns app={app} list={account.sign_ins} />
            {account.has_password ? <Password app={app} /> : <NoPassword />}
          </div>
        )}
      </main>
      <footer class="foot muted">
        <span>{server.software}</span>
        <span>rccar-web/{__VERSION__}</span>
        <ThemeSwitch />
      </footer>
    </div>
  );
}

function SignIns({ app, list }: { app: App; list: readonly SignIn[] }) {
  return (
    <section class="box" aria-labelledby="sign-ins-title">
      <h2 id="sign-ins-title">{t().account.where}</h2>
      <ul class="sign-ins" data-testid="sign-ins">
        {list.map((one) => (
          <li key={one.id} data-testid={one.this ? "sign-in-this" : "sign-in-other"}>
            <div>
              <p>{one.browser ?? t().account.browser}</p>
              <p class="muted small">
                {t().account.since(
                  one.network,
                  day(one.created_at),
                  one.this || one.seen_at === null ? null : moment(one.seen_at),
                )}
              </p>
            </div>
            {one.this ? (
              <span class="pill available">{t().account.thisOne}</span>
            ) : (
              <button
                type="button"
                class="button"
                data-testid="end-sign-in"
                aria-label={t().account.endOne(
                  one.browser ?? t().account.browser,
                  day(one.created_at),
                )}
                onClick={() => void app.account.endSignIn(one.id)}
              >
                {t().pages.signOut}
              </button>
            )}
          </li>
        ))}
      </ul>
      {list.length > 1 && (
        <button
          type="button"
          class="button wide"
          data-testid="end-other-sign-ins"
          onClick={() => void app.account.endOtherSignIns()}
        >
          {t().account.endOthers}
        </button>
      )}
      <p class="muted small">{t().account.driveEnds}</p>
    </section>
  );
}

function Password({ app }: { app: App }) {
  const changed = useSignal(0);
  const change = async (fields: FormData) => {
    const present = text(fields, "present");
    const trouble = await withNewPassword(fields, (wanted) =>
      app.account.changePassword(present, wanted),
    );
    if (trouble === null) changed.value += 1;
    return trouble;
  };
  return (
    <section class="box" aria-labelledby="password-title">
      <h2 id="password-title">{t().signIn.password}</h2>
      {changed.value > 0 && (
        <p class="note" role="status" data-testid="password-changed">
          {t().account.changed}
        </p>
      )}
      <Form
        key={changed.value}
        action={t().account.change}
        testid="change-password"
        submit={change}
      >
        <Field
          label={t().account.present}
          name="present"
          testid="present-password"
          autocomplete="current-password"
          type="password"
        />
        <NewPasswordFields />
      </Form>
    </section>
  );
}

function NoPassword() {
  return (
    <section class="box" aria-labelledby="password-title">
      <h2 id="password-title">{t().signIn.password}</h2>
      <p class="muted">{t().account.none}</p>
    </section>
  );
}
