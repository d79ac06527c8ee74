/** Claiming a car by the code that it shows. */

import { useSignal } from "@preact/signals";
import type { App } from "../app/app";
import { Field, Form, text } from "./form";

export function ClaimCar({ app }: { app: App }) {
  const claimed = useSignal<string | null>(null);
  const submit = async (fields: FormData) => {
    const answer = await app.claim(text(fields, "code"));
    if (typeof answer === "string") return answer;
    claimed.value = answer.name;
    return null;
  };
  return (
    <section class="way">
      <h3>It is switched on and shows a code</h3>
      {claimed.value === null ? (
        <>
          <p class="muted small">
            A car that nobody owns shows a code on its own page (<code>http://its-name.local</code>,
            on its network).
          </p>
          <Form action="Claim it" testid="claim-submit" submit={submit}>
            <Field
              label="Code"
              name="code"
              testid="claim-code-field"
              autocomplete="off"
              placeholder="K7QP-2VXH"
            />
          </Form>
        </>
      ) : (
        <p role="status" data-testid="claimed">
          {claimed} is yours. It is in the list.
        </p>
      )}
    </section>
  );
}
