/** Signing in, and making the first account. */

import type { ComponentChildren } from "preact";
import type { App } from "../app/app";
import type { ServerInfo } from "../core/app/http";
import { CarStatusPanel } from "./car-status";
import { ThemeSwitch } from "./display";
import { Field, Form, text } from "./form";
import { Mark } from "./icons";

export function SignInPage({ app, server }: { app: App; server: ServerInfo }) {
  if (server.setup_required) {
    return (
      <Gate title="Almost there" text="This host has no account yet.">
        <p class="muted">
          Open the one-time set-up link that the host printed when it started. It is in the terminal
          or in the log of <code>rccar-host</code>.
        </p>
      </Gate>
    );
  }
  if (server.sign_in === "code") {
    return (
      <Gate
        title="Sign in to the car"
        text={
          app.status.value?.provision
            ? "Enter its access code. The car has written it into provision-report.txt on its card."
            : "Enter the car's access code."
        }
        below={<CarStatusPanel app={app} />}
      >
        <Form action="Sign in" submit={(fields) => app.signInWithCode(text(fields, "code"))}>
          <Field
            label="Code"
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
    <Gate title="Welcome back" text="Sign in to drive.">
      <Form
        action="Sign in"
        submit={(fields) => app.signIn(text(fields, "name"), text(fields, "password"))}
      >
        <Field label="Name" name="name" testid="sign-in-name" autocomplete="username" focus />
        <Field
          label="Password"
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
    <Gate
      title="Set up your host"
      text="Make the first account. It may drive every car and add new ones."
    >
      <Form
        action="Make account"
        submit={(fields) =>
          withNewPassword(fields, (password) => app.setUp(token, text(fields, "name"), password))
        }
      >
        <Field label="Name" name="name" testid="sign-in-name" autocomplete="username" focus />
        <Field
          label="Password"
          name="password"
          testid="sign-in-password"
          autocomplete="new-password"
          type="password"
        />
        <Field
          label="Password again"
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
    <Gate
      title="Choose a password"
      text="The link works once. It signs you in here and ends all other sign-ins of your account."
    >
      <Form
        action="Save password"
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
    : Promise.resolve("The two passwords differ.");
}

export function NewPasswordFields({ focus = false }: { focus?: boolean }) {
  return (
    <>
      <Field
        label="New password"
        name="password"
        testid="sign-in-password"
        autocomplete="new-password"
        type="password"
        focus={focus}
      />
      <Field
        label="New password again"
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
