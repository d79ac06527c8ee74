/** The top of every page except the cockpit. */

import type { ServerInfo } from "../core/app/http";
import type { App } from "../app/app";
import { t } from "../words/words";
import { formatRoute } from "../core/app/route";
import type { SignalingState } from "../core/link/host";
import { Mark, SignOutIcon, UserIcon } from "./icons";

const PLACES = [
  { page: "cars", admin: false },
  { page: "releases", admin: true },
  { page: "people", admin: true },
] as const;

export function Top({
  app,
  server,
  here,
}: {
  app: App;
  server: ServerInfo;
  here: (typeof PLACES)[number]["page"] | "account";
}) {
  return (
    <header class="top">
      <div class="brand">
        <Mark />
        <span>rccar</span>
      </div>
      {server.mode === "host" && (
        <nav class="places" aria-label={t().pages.names}>
          {PLACES.filter(({ admin }) => !admin || server.role === "admin").map(({ page }) => (
            <a
              key={page}
              href={formatRoute({ page })}
              aria-current={page === here ? "page" : undefined}
              data-testid={`go-${page}`}
            >
              {t().pages[page]}
            </a>
          ))}
        </nav>
      )}
      <div class="top-end">
        <HostStatus state={app.signaling.value} />
        {server.user !== null && <User server={server} here={here === "account"} />}
        <button
          type="button"
          class="button quiet"
          data-testid="sign-out"
          onClick={() => void app.signOut()}
        >
          <SignOutIcon />
          <span>{t().pages.signOut}</span>
        </button>
      </div>
    </header>
  );
}

/** The person's name, which leads to the account where there is one. */
function User({ server, here }: { server: ServerInfo; here: boolean }) {
  if (server.mode === "car") return <span class="user">{server.user}</span>;
  return (
    <a
      class="user"
      href={formatRoute({ page: "account" })}
      aria-current={here ? "page" : undefined}
      aria-label={t().pages.accountOf(server.user ?? "")}
      data-testid="go-account"
    >
      <UserIcon />
      <span>{server.user}</span>
    </a>
  );
}

function HostStatus({ state }: { state: SignalingState }) {
  const { tone, text } = hostStatus(state);
  return (
    <span class={`host-status ${tone}`} role="status">
      <span class="dot" />
      <span class="host-words">{text}</span>
    </span>
  );
}

function hostStatus(state: SignalingState): { tone: string; text: string } {
  switch (state.phase) {
    case "ready":
      return { tone: "good", text: t().pages.connected };
    case "waiting":
      return { tone: "bad", text: t().pages.tryingAgain(t().connection.server[state.why]) };
    case "outdated":
      return { tone: "bad", text: t().pages.outdated };
    case "connecting":
    case "signed-out":
    case "stopped":
      return { tone: "warn", text: t().pages.connecting };
  }
}
