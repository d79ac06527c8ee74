/** Pages that wait for the host. */

import type { App } from "../app/app";
import { Mark } from "./icons";

export function WaitPage({ unreachable }: { unreachable: boolean }) {
  return (
    <main class="gate">
      <div class="gate-card center" role="status">
        <Mark size={44} />
        {unreachable ? (
          <>
            <h1>The host cannot be reached</h1>
            <p class="muted">
              This page goes on by itself as soon as it answers. Is this device online?
            </p>
          </>
        ) : (
          <p class="muted">One moment</p>
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
            <p class="muted">Signing in</p>
            <span class="spinner" />
          </>
        ) : (
          <>
            <h1>{unused ? "The host does not answer" : "This link does not work"}</h1>
            <p class="muted" data-testid="banner">
              {trouble}
              {unused && " It may still work: try again when you are online."}
            </p>
            {unused && (
              <button
                type="button"
                class="button primary"
                data-testid="retry-link"
                onClick={() => app.retryLink()}
              >
                Try again
              </button>
            )}
            <button
              type="button"
              class={`button ${unused ? "" : "primary"}`}
              onClick={() => app.go({ page: "sign-in" }, "replace")}
            >
              Sign in another way
            </button>
          </>
        )}
      </div>
    </main>
  );
}
