/** The banner and its buttons. */

import type { App } from "../app/app";
import { spokenWords, type Action, type Banner } from "../core/app/banner";
import type { Cockpit } from "../app/cockpit";
import { t } from "../words/words";

export function BannerView({
  app,
  cockpit,
  banner,
  state,
  openControls,
  take,
}: {
  app: App;
  cockpit: Cockpit;
  banner: Banner | null;
  /** The words of the state. */
  state: string;
  openControls: () => void;
  /** Asks whether the person is sure to take the car from its driver. */
  take: () => void;
}) {
  const act = (action: Action): void => {
    switch (action) {
      case "connect":
        return cockpit.connect();
      case "take":
        return take();
      case "stay":
        return cockpit.stay();
      case "relay":
        return app.go({ ...cockpit.route, relayOnly: true });
      case "back":
        return app.go({ page: "cars" });
      case "reload":
        return location.reload();
      case "sign-in":
        return app.go({ page: "sign-in" });
      case "controls":
        return openControls();
    }
  };
  return (
    <>
      {/* Always there, so that screen readers notice a change. */}
      <p
        class="visually-hidden"
        role="status"
        aria-live={banner?.level === "bad" ? "assertive" : "polite"}
      >
        {spokenWords(state, banner)}
      </p>
      {banner !== null && (
        <div
          class={`banner ${banner.level} ${banner.blocking ? "blocking" : ""}`}
          data-testid="banner"
          data-level={banner.level}
        >
          {banner.blocking && banner.level === "info" && <span class="spinner" />}
          <div>
            <p class="banner-title">{banner.title}</p>
            <p class="banner-text">{banner.text}</p>
          </div>
          {banner.actions.length > 0 && (
            <div class="banner-actions">
              {banner.actions.map((action) => (
                <button
                  type="button"
                  key={action}
                  class={`button ${action === banner.actions[0] && action !== "back" ? "primary" : ""}`}
                  data-testid={`action-${action}`}
                  onClick={() => act(action)}
                >
                  {t().drive.actions[action]}
                </button>
              ))}
            </div>
          )}
        </div>
      )}
    </>
  );
}
