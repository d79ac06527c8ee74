/** Signing in, and making the first account. */

import { useSignal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import type { App } from "../app/app";
import type { ServerInfo } from "../api";
import { Mark } from "./icons";

export function SignInPage({ app, server }: { app: App; server: ServerInfo }) {
  if (server.setup_required) {
    return (
      <Gate title="Almost there" text="This host has no account yet.">
        <p class="muted">
          Open the one-time set-up link that the host printed when it started. It is in the terminal or in the log of{" "}
          <code>rccar-host</code>.
        </p>
      </Gate>
    );
  }
  if (server.sign_in === "code") {
    return (
      <Gate title="Sign in to the car" text="Enter the car's access code.">
        <Form action="Sign in" submit={(fields) => app.signInWithCode(text(fields, "code"))}>
          <Field label="Code" name="code" testid="sign-in-code" autocomplete="current-password" type="password" focus />
        </Form>
      </Gate>
    );
  }
  return (
    <Gate title="Welcome back" text="Sign in to drive.">
      <Form action="Sign in" submit={(fields) => app.signIn(text(fields, "name"), text(fields, "password"))}>
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
    <Gate title="Set up your host" text="Make the first account. It may drive every car and add new ones.">
      <Form
        action="Make account"
        submit={(fields) =>
          text(fields, "password") === text(fields, "repeated")
            ? app.setUp(token, text(fields, "name"), text(fields, "password"))
            : Promise.resolve("The two passwords differ.")
        }
      >
        <Field label="Name" name="name" testid="sign-in-name" autocomplete="username" focus />
        <Field label="Password" name="password" testid="sign-in-password" autocomplete="new-password" type="password" />
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

function Gate({ title, text, children }: { title: string; text: string; children: ComponentChildren }) {
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
    </main>
  );
}

interface FormProps {
  readonly action: string;
  /** Resolves to what went wrong. */
  readonly submit: (fields: FormData) => Promise<string | null>;
  readonly children: ComponentChildren;
}

function Form({ action, submit, children }: FormProps) {
  const busy = useSignal(false);
  const trouble = useSignal<string | null>(null);
  const send = async (form: HTMLFormElement) => {
    busy.value = true;
    trouble.value = null;
    trouble.value = await submit(new FormData(form));
    busy.value = false;
  };
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        if (!busy.value) void send(event.currentTarget);
      }}
    >
      {children}
      <p class="trouble" role="alert" data-testid="banner" hidden={trouble.value === null}>
        {trouble}
      </p>
      <button type="submit" class="button primary wide" data-testid="sign-in-submit" disabled={busy}>
        {busy.value ? <span class="spinner small" /> : action}
      </button>
    </form>
  );
}

interface FieldProps {
  readonly label: string;
  readonly name: string;
  readonly testid: string;
  readonly autocomplete: "username" | "current-password" | "new-password";
  readonly type?: "text" | "password";
  readonly focus?: boolean;
}

function Field({ label, name, testid, autocomplete, type = "text", focus = false }: FieldProps) {
  return (
    <label class="field">
      <span>{label}</span>
      <input
        name={name}
        {...(type === "password" ? ({ type } as const) : ({ type } as const))}
        autocomplete={autocomplete}
        autocapitalize="none"
        spellcheck={false}
        data-testid={testid}
        required
        ref={(input) => {
          if (focus && input && document.activeElement === document.body) input.focus();
        }}
      />
    </label>
  );
}

function text(fields: FormData, name: string): string {
  const value = fields.get(name);
  return typeof value === "string" ? value : "";
}
