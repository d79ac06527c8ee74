/**
 * The cockpit in a state of the table: `#stopped`, `#path%20lost`. For stories, and for the
 * pictures in `docs/`.
 */

import { signal } from "@preact/signals";
import { render } from "preact";
import { App } from "../src/app/app";
import { Cockpit, SOFTWARE } from "../src/app/cockpit";
import { dress } from "../src/app/preferences";
import { SignalingClient } from "../src/link/signaling";
import "../src/style/all.css";
import { CockpitPage } from "../src/view/cockpit";
import { road } from "./road";
import { hudIn, scenes } from "./scenes";

declare global {
  /** Names of all scenes. */
  var sceneNames: readonly string[] | undefined;
}

const client = new SignalingClient({ url: "ws://localhost", software: SOFTWARE }, () => undefined);
const route = { page: "car", car: "gallery", relayOnly: false, trickle: true } as const;
const cockpit = new Cockpit(route, client, signal(null));
// The scene is what is shown, and not what this page is.
cockpit.dispose();
cockpit.stream.value = road();
dress();
globalThis.sceneNames = scenes.map(({ name }) => name);

function show(): void {
  const name = decodeURIComponent(location.hash.slice(1));
  const scene = scenes.find((one) => one.name === name) ?? scenes[0];
  if (scene) cockpit.hud.value = hudIn(scene);
}
addEventListener("hashchange", show);
show();

const place = document.getElementById("app");
if (place) render(<CockpitPage app={new App()} cockpit={cockpit} />, place);
