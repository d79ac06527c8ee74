/** The cockpit: the picture, what it means, and the controls. */

import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import type { App } from "../app/app";
import type { Cockpit } from "../app/cockpit";
import { watchFrames } from "../app/frames";
import { stateParts, type Hud } from "../core/app/hud";
import { GEARS } from "../core/input/feel";
import { placeOf } from "../core/input/keyboard";
import { BannerView } from "./banner";
import { ControlsPanel } from "./controls";
import { Dock } from "./dock";
import { HelpPanel } from "./help";
import { Metrics, Rungs, StatePill } from "./hud";
import { BackIcon } from "./icons";
import { PlotPanel } from "./plot";
import { SetupPanel } from "./setup";
import { Sticks } from "./sticks";
import { TakeCarDialog } from "./take-car";
import { Tools, type PanelName } from "./tools";
import { t } from "../words/words";

export function CockpitPage({ app, cockpit }: { app: App; cockpit: Cockpit }) {
  const root = useRef<HTMLElement>(null);
  const open = useSignal<PanelName | null>(null);
  const close = () => (open.value = null);
  const toggle = (panel: PanelName) => (open.value = open.value === panel ? null : panel);
  const openControls = () => (open.value = "controls");
  const taking = useSignal(false);
  const touched = useSignal(matchMedia("(pointer: coarse)").matches);
  useEffect(() => {
    const key = (event: KeyboardEvent) => {
      if (event.ctrlKey || event.metaKey || event.altKey) return;
      if (cockpit.mixer.commandOf(placeOf(event)) !== null) return;
      const gear = GEARS[["Digit1", "Digit2", "Digit3"].indexOf(placeOf(event))];
      // Digits in a field of a panel are no gears.
      if (gear !== undefined && !(event.target instanceof HTMLInputElement)) cockpit.setGear(gear);
      // Whatever Caps Lock makes of a letter.
      const key = event.key.toLowerCase();
      if (key === "?") toggle("help");
      else if (key === "escape") close();
      else if (key === "p") toggle("plot");
      else if (key === "f") toggleFullscreen(root.current);
    };
    window.addEventListener("keydown", key);
    return () => window.removeEventListener("keydown", key);
  }, []);
  const hud = cockpit.hud.value;
  const calibration = cockpit.calibration.value;
  return (
    <main
      ref={root}
      class={classes(hud, touched.value)}
      onPointerDown={(event) => (touched.value ||= event.pointerType === "touch")}
      onClick={releaseFocus}
    >
      <VideoView cockpit={cockpit} />
      <header class="cockpit-top">
        <div class="cockpit-name">
          <button
            type="button"
            class="button glass square"
            aria-label={t().cockpit.back}
            onClick={() => app.go({ page: "cars" })}
          >
            <BackIcon />
          </button>
          <h1>{hud.carName}</h1>
        </div>
        <StatePill hud={hud} />
        <Metrics hud={hud} />
        <Tools
          cockpit={cockpit}
          hud={hud}
          open={open.value}
          toggle={toggle}
          fullscreen={() => toggleFullscreen(root.current)}
        />
        <Rungs hud={hud} />
      </header>
      <BannerView
        app={app}
        cockpit={cockpit}
        banner={hud.banner}
        state={stateParts(hud).join(": ")}
        openControls={openControls}
        take={() => (taking.value = true)}
      />
      {taking.value && (
        <TakeCarDialog
          cockpit={cockpit}
          carName={hud.carName}
          close={() => (taking.value = false)}
        />
      )}
      {touched.value && <Sticks cockpit={cockpit} />}
      <Dock cockpit={cockpit} hud={hud} />
      {open.value === "plot" && <PlotPanel cockpit={cockpit} close={close} />}
      {open.value === "help" && (
        <HelpPanel
          keys={cockpit.controls.value.keys}
          touched={touched.value}
          openControls={openControls}
          close={close}
        />
      )}
      {open.value === "controls" && <ControlsPanel cockpit={cockpit} close={close} />}
      {open.value === "setup" && calibration !== null && (
        <SetupPanel cockpit={cockpit} hud={hud} view={calibration} close={close} />
      )}
    </main>
  );
}

function classes({ frozen, silent, state }: Hud, touched: boolean): string {
  const apart = state === null;
  return ["cockpit", frozen && "frozen", silent && "unheard", apart && "apart", touched && "touch"]
    .filter((name) => name !== false)
    .join(" ");
}

function VideoView({ cockpit }: { cockpit: Cockpit }) {
  const video = useRef<HTMLVideoElement>(null);
  const stream = cockpit.stream.value;
  const refused = useSignal(false);
  const play = () => {
    video.current?.play().then(
      () => (refused.value = false),
      (error: unknown) => {
        // Another load of the same element is no refusal.
        if (error instanceof DOMException && error.name === "AbortError") return;
        console.warn("rccar: the video does not play:", String(error));
        refused.value = true;
      },
    );
  };
  useEffect(() => {
    const element = video.current;
    if (!element || !stream) return undefined;
    // The attribute alone does not mute, and only a muted video may play by itself.
    element.muted = true;
    element.srcObject = stream;
    play();
    return watchFrames(element, (frame) => cockpit.handleFrame(frame));
  }, [stream]);
  return (
    <>
      <video
        ref={video}
        class="picture"
        data-testid="video"
        autoplay
        muted
        playsInline
        disablePictureInPicture
      />
      {/* Phones that save power play only what somebody taps. */}
      {refused.value && (
        <button type="button" class="button primary play" data-testid="play" onClick={play}>
          {t().cockpit.showPicture}
        </button>
      )}
    </>
  );
}

/**
 * A clicked button gives up the focus, or it would take the keys that drive. A button pressed by
 * keyboard keeps it.
 */
function releaseFocus(event: MouseEvent): void {
  if (event.detail > 0 && document.activeElement instanceof HTMLElement)
    document.activeElement.blur();
}

function toggleFullscreen(element: HTMLElement | null): void {
  // iPhones have no full screen.
  if (!element || !document.fullscreenEnabled) return;
  const done = document.fullscreenElement ? document.exitFullscreen() : element.requestFullscreen();
  done.catch((error: unknown) => console.warn("rccar: full screen:", String(error)));
}
