/** A form that shows what went wrong, and its fields. */

import { useSignal } from "@preact/signals";
import type { ComponentChildren } from "preact";

interface FormProps {
  readonly action: string;
  readonly testid?: string;
  /** Resolves to a message for the person, `null` if it worked. */
  readonly submit: (fields: FormData) => Promise<string | null>;
  readonly children: ComponentChildren;
}

export function Form({ action, testid = "sign-in-submit", submit, children }: FormProps) {
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
      class="form"
      onSubmit={(event) => {
        event.preventDefault();
        if (!busy.value) void send(event.currentTarget);
      }}
    >
      {children}
      <p class="trouble" role="alert" data-testid="banner" hidden={trouble.value === null}>
        {trouble}
      </p>
      <button type="submit" class="button primary wide" data-testid={testid} disabled={busy}>
        {busy.value ? <span class="spinner small" /> : action}
      </button>
    </form>
  );
}

interface FieldProps {
  readonly label: string;
  readonly name: string;
  readonly testid: string;
  readonly autocomplete: "username" | "current-password" | "new-password" | "url" | "off";
  readonly type?: "text" | "password";
  readonly focus?: boolean;
  readonly optional?: boolean;
  readonly placeholder?: string;
  /** What stands in it at first. */
  readonly value?: string;
}

export function Field(props: FieldProps) {
  const {
    label,
    name,
    testid,
    autocomplete,
    type = "text",
    focus = false,
    optional = false,
    placeholder,
    value = "",
  } = props;
  return (
    <label class="field">
      <span>{label}</span>
      <input
        name={name}
        {...(type === "password" ? ({ type } as const) : ({ type } as const))}
        {...(placeholder === undefined ? {} : { placeholder })}
        defaultValue={value}
        autocomplete={autocomplete}
        autocapitalize="none"
        spellcheck={false}
        data-testid={testid}
        required={!optional}
        ref={(input) => {
          if (focus && input && document.activeElement === document.body) input.focus();
        }}
      />
    </label>
  );
}

export function text(fields: FormData, name: string): string {
  const value = fields.get(name);
  return typeof value === "string" ? value : "";
}
