/** Pages that wait for the host. */

import type { App } from "../app/app";
import { Mark } from "./icons";
import { t } from "../words/words";

export function WaitPage({ unreachable }: { unreachable: boolean }) {
  return (
    <main class="gate">
      <div class="gate-card center" role="status">
        <Mark size={44} />
        {unreachable ? (
          <>
            <h1>{t().pages.noServer}</h1>
            <p class="muted">{t().pages.noServerText}</p>
          </>
        ) : (
          <p class="muted">{t().pages.oneMoment}</p>
        )}
        <span class="spinner" />
      </div>
    </main>
  );
}

/** Signs in with a one-time link, or says why that did not work. */
export function LinkPage({ app }: { app: App }) {
  const trouble = app.linkTrouble.value;
  const unused = app.linkUnused.value;
  return (
    <main class="gate">
      <div class="gate-card center" role="status">
        <Mark size={44} />
        {trouble === null ? (
          <>
            <p class="muted">{t().pages.signingIn}</p>
            <span class="spinner" />
          </>
        ) : (
          <>
            <h1>{unused ? t().pages.serverSilent : t().pages.linkFails}</h1>
            <p class="muted" data-testid="banner">
              {unused ? t().pages.mayStillWork(trouble) : trouble}
            </p>
            {unused && (
              <button
                type="button"
                class="button primary"
                data-testid="retry-link"
                onClick={() => app.retryLink()}
              >
                {t().pages.tryAgain}
              </button>
            )}
            <button
              type="button"
              class={`button ${unused ? "" : "primary"}`}
              onClick={() => app.go({ page: "sign-in" }, "replace")}
            >
              {t().pages.otherWay}
            </button>
          </>
        )}
      </div>
    </main>
  );
}
