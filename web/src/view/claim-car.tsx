/** Claiming a car by the code that it shows. */

import { useSignal } from "@preact/signals";
import type { App } from "../app/app";
import { formatRoute } from "../core/app/route";
import { Field, Form, text } from "./form";
import { Qr } from "./qr";

interface Props {
  readonly app: App;
  /** Fills the field; empty: a person types it. */
  readonly code: string;
  /** The host's address for a phone that stands beside the car. */
  readonly phone: string | null;
}

export function ClaimCar({ app, code, phone }: Props) {
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
              value={code}
            />
          </Form>
          {phone !== null && (
            <details class="small">
              <summary class="muted">With a phone beside the car</summary>
              <p class="muted">
                Point its camera at this picture: it opens this page there. The car's own page shows
                one, too, which fills in the code.
              </p>
              <Qr
                text={`${phone}/${formatRoute({ page: "claim", code: "" })}`}
                label={`QR code of the page that claims a car at ${phone}`}
                testid="claim-qr"
              />
            </details>
          )}
        </>
      ) : (
        <p role="status" data-testid="claimed">
          {claimed} is yours. It is in the list.
        </p>
      )}
    </section>
  );
}
