/** State and figures for the driver. */

import {
  ageAlarm,
  deviceWords,
  pathWords,
  rttAlarm,
  stateTone,
  stateParts,
  type Alarm,
  type Hud,
} from "../core/app/hud";
import { figure, t } from "../words/words";

export function StatePill({ hud }: { hud: Hud }) {
  const [words, why] = stateParts(hud);
  return (
    <p
      class={`state ${stateTone(hud)}`}
      data-testid="hud-state"
      data-state={hud.silent ? "unknown" : (hud.state ?? "unknown")}
      data-reason={hud.reason}
    >
      <span class="dot" />
      <span>
        {words}
        {why !== undefined && <span class="state-why"> · {why}</span>}
      </span>
    </p>
  );
}

export function Rungs({ hud }: { hud: Hud }) {
  return (
    <div class="rungs">
      <ol aria-label={t().cockpit.connection} data-testid="hud-rungs">
        {hud.rungs.map((rung) => (
          <Chip key={rung.id} testid={`rung-${rung.id}`} {...rung} />
        ))}
      </ol>
      <ul aria-label={t().cockpit.drivesWith}>
        <Chip
          testid="hud-device"
          text={deviceWords(hud.device)}
          hint={t().cockpit.deviceHint}
          tone={hud.device.source === "none" ? "idle" : "good"}
        />
      </ul>
      {hud.vitals.length > 0 && (
        <ul aria-label={t().cockpit.car} class={hud.silent ? "old" : ""} data-testid="hud-vitals">
          {hud.vitals.map((vital) => (
            <Chip key={vital.id} testid={`vital-${vital.id}`} {...vital} />
          ))}
        </ul>
      )}
    </div>
  );
}

interface ChipProps {
  readonly testid: string;
  readonly text: string;
  readonly hint: string;
  readonly tone: string;
}

function Chip({ testid, text, hint, tone }: ChipProps) {
  return (
    <li class={tone} title={hint} data-testid={testid}>
      <span class="dot" />
      <span class="rung-text">{text}</span>
    </li>
  );
}

export function Metrics({ hud }: { hud: Hud }) {
  const { kind, detail } = pathWords(hud.path);
  // Figures from before the silence raise no alarm.
  const alarm = (of: Alarm) => (hud.silent ? "calm" : of);
  return (
    <dl class={`metrics ${hud.silent ? "stale" : ""}`}>
      <Metric
        name={t().cockpit.picture}
        testid="hud-age"
        value={whole(hud.ageMs)}
        unit="ms"
        alarm={alarm(ageAlarm(hud.ageMs))}
      />
      <Metric
        name={t().cockpit.roundTrip}
        testid="hud-rtt"
        value={whole(hud.rttMs)}
        unit="ms"
        alarm={alarm(rttAlarm(hud.rttMs))}
      />
      <Metric
        name={t().cockpit.video}
        {...(hud.fps === null ? {} : { detail: t().cockpit.fps(figure(hud.fps)) })}
        testid="hud-bitrate"
        value={whole(hud.bitrateKbps)}
        unit="kbit/s"
      />
      <Metric
        name={t().cockpit.link}
        {...(detail === "" ? {} : { detail })}
        testid="hud-path"
        value={kind}
      />
    </dl>
  );
}

interface MetricProps {
  readonly name: string;
  /** Left out where there is little room. */
  readonly detail?: string;
  readonly testid: string;
  readonly value: string;
  readonly unit?: string;
  readonly alarm?: Alarm;
}

function Metric({ name, detail, testid, value, unit, alarm = "calm" }: MetricProps) {
  return (
    <div class={`metric ${alarm}`}>
      <dt>
        {name}
        {detail !== undefined && <span class="metric-detail"> · {detail}</span>}
      </dt>
      <dd data-testid={testid}>
        {value}
        {unit !== undefined && <small> {unit}</small>}
      </dd>
    </div>
  );
}

function whole(value: number | null): string {
  return value === null ? "–" : figure(value);
}
