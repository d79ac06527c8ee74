/** Signing in, and making the first account. */

import type { ComponentChildren } from "preact";
import type { App } from "../app/app";
import type { ServerInfo } from "../core/app/http";
import { CarStatusPanel } from "./car-status";
import { ThemeSwitch } from "./display";
import { Field, Form, text } from "./form";
import { Mark } from "./icons";
import { Rich } from "./rich";
import { t } from "../words/words";

export function SignInPage({ app, server }: { app: App; server: ServerInfo }) {
  if (server.setup_required) {
    return (
      <Gate title={t().signIn.almost} text={t().signIn.noAccount}>
        <p class="muted">
          <Rich text={t().signIn.openLink} />
        </p>
      </Gate>
    );
  }
  if (server.sign_in === "code") {
    return (
      <Gate
        title={t().signIn.toCar}
        text={app.status.value?.provision ? t().signIn.codeOnCard : t().signIn.enterCode}
        below={<CarStatusPanel app={app} />}
      >
        <Form
          action={t().signIn.signIn}
          submit={(fields) => app.signInWithCode(text(fields, "code"))}
        >
          <Field
            label={t().signIn.code}
            name="code"
            testid="sign-in-code"
            autocomplete="current-password"
            type="password"
            focus
          />
        </Form>
      </Gate>
    );
  }
  return (
    <Gate title={t().signIn.welcome} text={t().signIn.toDrive}>
      <Form
        action={t().signIn.signIn}
        submit={(fields) => app.signIn(text(fields, "name"), text(fields, "password"))}
      >
        <Field
          label={t().signIn.name}
          name="name"
          testid="sign-in-name"
          autocomplete="username"
          focus
        />
        <Field
          label={t().signIn.password}
          name="password"
          testid="sign-in-password"
          autocomplete="current-password"
          type="password"
        />
      </Form>
    </Gate>
  );
}

export function SetUpPage({ app, token }: { app: App; token: string }) {
  return (
    <Gate title={t().signIn.setUp} text={t().signIn.firstAccount}>
      <Form
        action={t().signIn.makeAccount}
        submit={(fields) =>
          withNewPassword(fields, (password) => app.setUp(token, text(fields, "name"), password))
        }
      >
        <Field
          label={t().signIn.name}
          name="name"
          testid="sign-in-name"
          autocomplete="username"
          focus
        />
        <Field
          label={t().signIn.password}
          name="password"
          testid="sign-in-password"
          autocomplete="new-password"
          type="password"
        />
        <Field
          label={t().signIn.passwordAgain}
          name="repeated"
          testid="sign-in-password-again"
          autocomplete="new-password"
          type="password"
        />
      </Form>
    </Gate>
  );
}

/** A new password, by a one-time link. */
export function PasswordPage({ app, token }: { app: App; token: string }) {
  return (
    <Gate title={t().signIn.choose} text={t().signIn.chooseText}>
      <Form
        action={t().signIn.savePassword}
        submit={(fields) =>
          withNewPassword(fields, (password) => app.choosePassword(token, password))
        }
      >
        <NewPasswordFields focus />
      </Form>
    </Gate>
  );
}

/** Passes a password on that was typed twice alike; returns a message for the person. */
export function withNewPassword(
  fields: FormData,
  submit: (password: string) => Promise<string | null>,
): Promise<string | null> {
  const password = text(fields, "password");
  return password === text(fields, "repeated")
    ? submit(password)
    : Promise.resolve(t().signIn.differ);
}

export function NewPasswordFields({ focus = false }: { focus?: boolean }) {
  return (
    <>
      <Field
        label={t().signIn.newPassword}
        name="password"
        testid="sign-in-password"
        autocomplete="new-password"
        type="password"
        focus={focus}
      />
      <Field
        label={t().signIn.newPasswordAgain}
        name="repeated"
        testid="sign-in-password-again"
        autocomplete="new-password"
        type="password"
      />
    </>
  );
}

interface GateProps {
  readonly title: string;
  readonly text: string;
  readonly children: ComponentChildren;
  readonly below?: ComponentChildren;
}

function Gate({ title, text, children, below }: GateProps) {
  return (
    <main class="gate">
      <div class="gate-brand">
        <Mark size={40} />
        <span>rccar</span>
      </div>
      <div class="gate-card">
        <h1>{title}</h1>
        <p class="muted">{text}</p>
        {children}
      </div>
      {below}
      <ThemeSwitch />
    </main>
  );
}
