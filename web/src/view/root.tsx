import { useSignalEffect } from "@preact/signals";
import type { App } from "../app/app";
import { stateParts } from "../core/app/hud";
import { AccountPage } from "./account";
import { CarsPage } from "./cars";
import { CockpitPage } from "./cockpit";
import { PeoplePage } from "./people";
import { ReleasesPage } from "./releases";
import { PasswordPage, SetUpPage, SignInPage } from "./sign-in";
import { LinkPage, WaitPage } from "./wait";
import { t } from "../words/words";

/** The page that the route asks for. */
export function Root({ app }: { app: App }) {
  useSignalEffect(() => {
    document.title = title(app);
  });
  const route = app.route.value;
  if (route.page === "link") return <LinkPage app={app} />;
  const server = app.server.value;
  if (server === null) return <WaitPage unreachable={app.unreachable.value} />;
  if (route.page === "setup") return <SetUpPage app={app} token={route.token} />;
  if (route.page === "password") return <PasswordPage app={app} token={route.token} />;
  if (!server.signed_in || route.page === "sign-in")
    return <SignInPage app={app} server={server} />;
  const cockpit = app.cockpit.value;
  if (route.page === "car" && cockpit)
    return <CockpitPage key={cockpit} app={app} cockpit={cockpit} />;
  const admin = server.mode === "host" && server.role === "admin";
  if (route.page === "releases" && admin) return <ReleasesPage app={app} server={server} />;
  if (route.page === "people" && admin) return <PeoplePage app={app} server={server} />;
  if (route.page === "account" && server.mode === "host")
    return <AccountPage app={app} server={server} />;
  return <CarsPage app={app} server={server} />;
}

function title(app: App): string {
  const cockpit = app.cockpit.value;
  if (cockpit) {
    const hud = cockpit.hud.value;
    return t().cockpit.tab(stateParts(hud)[0], hud.carName);
  }
  const { tab } = t().pages;
  switch (app.route.value.page) {
    case "setup":
      return tab.setup;
    case "sign-in":
    case "link":
      return tab.signIn;
    case "password":
      return tab.password;
    case "account":
      return tab.account;
    case "releases":
      return tab.releases;
    case "people":
      return tab.people;
    case "cars":
    case "claim":
    case "car":
      return app.signaling.value.phase === "waiting" ? tab.gone : tab.cars;
  }
}
