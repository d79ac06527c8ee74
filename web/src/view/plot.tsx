/** The last minute of the connection as a picture, over the video. */

import { useEffect, useRef } from "preact/hooks";
import type { Cockpit } from "../app/cockpit";
import { linesOf, minuteInWords, topOf, type Moment } from "../core/app/minute";
import { Panel } from "./panel";
import { t } from "../words/words";

interface Lane {
  readonly name: "picture" | "roundTrip" | "video";
  readonly unit: string;
  readonly value: (moment: Moment) => number | null;
  /** The lane is at least so high. */
  readonly least: number;
  /** Lines across it: from here on the car slows down, and there it stops. */
  readonly marks: readonly number[];
}

const LANES: readonly Lane[] = [
  { name: "picture", unit: "ms", value: (m) => m.ageMs, least: 200, marks: [150, 500] },
  { name: "roundTrip", unit: "ms", value: (m) => m.rttMs, least: 100, marks: [] },
  { name: "video", unit: "kbit/s", value: (m) => m.kbps, least: 500, marks: [] },
];
const LANE_PX = 46;
const GAP_PX = 14;

export function PlotPanel({ cockpit, close }: { cockpit: Cockpit; close: () => void }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  // Ten times a second, as the figures.
  void cockpit.hud.value;
  const moments = cockpit.minute;
  useEffect(() => {
    if (canvas.current) draw(canvas.current, moments);
  });
  return (
    <Panel
      kind="plot"
      title={t().cockpit.lastMinute}
      testid="plot"
      closes={t().cockpit.closePlot}
      close={close}
    >
      <canvas
        ref={canvas}
        role="img"
        aria-label={minuteInWords(moments)}
        style={{ height: `${LANES.length * (LANE_PX + GAP_PX)}px` }}
      />
      <p class="muted">{t().cockpit.plotLegend}</p>
    </Panel>
  );
}

function draw(canvas: HTMLCanvasElement, moments: readonly Moment[]): void {
  const context = canvas.getContext("2d");
  if (!context) return;
  const { clientWidth: width, clientHeight: height } = canvas;
  const scale = devicePixelRatio;
  canvas.width = Math.round(width * scale);
  canvas.height = Math.round(height * scale);
  context.scale(scale, scale);
  const style = getComputedStyle(canvas);
  const colour = (name: string) => style.getPropertyValue(name);
  const now = moments.at(-1)?.at ?? 0;
  context.font = `11px ${style.fontFamily}`;
  LANES.forEach((lane, index) => {
    const bottom = (index + 1) * (LANE_PX + GAP_PX) - 2;
    const top = topOf(moments.map(lane.value), lane.least);
    const y = (part: number) => bottom - part * LANE_PX;
    const across = (part: number) => {
      context.beginPath();
      context.moveTo(0, y(part));
      context.lineTo(width, y(part));
      context.stroke();
    };
    context.lineWidth = 1;
    context.strokeStyle = colour("--plot-line");
    across(0);
    lane.marks.filter((mark) => mark < top).forEach((mark) => across(mark / top));
    context.strokeStyle = colour("--accent");
    context.lineWidth = 1.5;
    for (const line of linesOf(moments, lane.value, now, top)) {
      context.beginPath();
      for (const point of line) context.lineTo(point.x * width, y(point.y));
      context.stroke();
    }
    context.fillStyle = colour("--muted");
    context.textAlign = "left";
    context.fillText(t().cockpit[lane.name], 0, y(1) - 3);
    context.textAlign = "right";
    context.fillText(`${top} ${lane.unit}`, width, y(1) - 3);
  });
  context.fillStyle = colour("--bad");
  for (const { at, lost } of moments) {
    const x = (1 - (now - at) / 60_000) * width;
    if (lost > 0) context.fillRect(x - 1, height - 6, 2, 6);
  }
}
