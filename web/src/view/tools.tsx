/** The small buttons of the cockpit. Where there is little room, most are behind "More". */

import { useSignal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import type { Cockpit } from "../app/cockpit";
import { saveSnapshot } from "../app/snapshot";
import type { Hud } from "../core/app/hud";
import { FullscreenIcon, HelpIcon, MoreIcon, PlotIcon, SetupIcon, SnapshotIcon } from "./icons";
import { SwitchButtons } from "./switches";
import { t } from "../words/words";

export type PanelName = "help" | "setup" | "plot" | "controls";

interface Props {
  readonly cockpit: Cockpit;
  readonly hud: Hud;
  readonly open: PanelName | null;
  readonly toggle: (panel: PanelName) => void;
  readonly fullscreen: () => void;
}

export function Tools({ cockpit, hud, open, toggle, fullscreen }: Props) {
  const more = useSignal(false);
  const panel = (name: PanelName) => ({
    expanded: open === name,
    press: () => {
      more.value = false;
      toggle(name);
    },
  });
  return (
    <div class="cockpit-tools">
      <SwitchButtons cockpit={cockpit} switches={hud.switches} />
      <div class={`tools-more ${more.value ? "open" : ""}`}>
        {cockpit.calibration.value !== null && (
          <Tool name={t().cockpit.setUpCar} testid="open-setup" {...panel("setup")}>
            <SetupIcon />
          </Tool>
        )}
        <Tool name={t().cockpit.lastMinute} keys="P" testid="open-plot" {...panel("plot")}>
          <PlotIcon />
        </Tool>
        {cockpit.stream.value !== null && (
          <Tool
            name={t().cockpit.savePicture}
            testid="snapshot"
            press={() => {
              more.value = false;
              saveSnapshot(document.querySelector("video"), hud.carName);
            }}
          >
            <SnapshotIcon />
          </Tool>
        )}
        {/* iPhones have no full screen. */}
        {document.fullscreenEnabled && (
          <Tool
            name={t().cockpit.fullScreen}
            keys="F"
            testid="fullscreen"
            press={() => {
              more.value = false;
              fullscreen();
            }}
          >
            <FullscreenIcon />
          </Tool>
        )}
      </div>
      <Tool
        name={t().cockpit.more}
        kind="more"
        testid="more"
        expanded={more.value}
        press={() => (more.value = !more.value)}
      >
        <MoreIcon />
      </Tool>
      <Tool name={t().cockpit.help} keys="?" testid="open-help" {...panel("help")}>
        <HelpIcon />
      </Tool>
    </div>
  );
}

interface ToolProps {
  readonly name: string;
  readonly kind?: string;
  readonly keys?: string;
  readonly testid: string;
  readonly expanded?: boolean;
  readonly press: () => void;
  readonly children: ComponentChildren;
}

function Tool({ name, kind = "", keys, testid, expanded, press, children }: ToolProps) {
  return (
    <button
      type="button"
      class={`button glass square ${kind}`}
      title={name}
      {...(keys === undefined ? {} : { "aria-keyshortcuts": keys })}
      {...(expanded === undefined ? {} : { "aria-expanded": expanded })}
      data-testid={testid}
      onClick={press}
    >
      {children}
      <span class="tool-name">{name}</span>
    </button>
  );
}
