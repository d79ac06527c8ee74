/**
 * A car's status on its own page: its claim code, its host, and what is wrong with its card.
 */

import { useEffect } from "preact/hooks";
import type { App } from "../app/app";
import type { CarStatus, HostStatus, Provision, UnusedTable } from "../core/app/http";

/** A person who types the code elsewhere looks here to see whether it worked. */
const ASK_EVERY_MS = 3000;

export function CarStatusPanel({ app }: { app: App }) {
  useEffect(() => {
    void app.askStatus();
    const asks = setInterval(() => void app.askStatus(), ASK_EVERY_MS);
    return () => clearInterval(asks);
  }, []);
  const status = app.status.value;
  if (!status?.near) return null;
  return (
    <div class="status" data-testid="car-status">
      {status.claim !== null && <ClaimCode code={status.claim} host={status.host} />}
      {status.provision !== null && <Card provision={status.provision} />}
      <About status={status} />
    </div>
  );
}

function ClaimCode({ code, host }: { code: string; host: HostStatus | null }) {
  return (
    <section class="notice accent">
      <h2>Nobody owns this car yet</h2>
      <p class="claim-code" data-testid="claim-code">
        {code}
      </p>
      <p class="muted small">
        Sign in at {host === null ? "its host" : <a href={host.url}>{host.url}</a>}, choose “Add a
        car” and type this code. Whoever does so owns the car.
      </p>
    </section>
  );
}

function Card({ provision }: { provision: Provision }) {
  const { faults, unused, notices } = provision;
  const title = cardTitle(provision);
  return (
    <>
      {title !== null && (
        <section class="notice warn" data-testid="card-faults">
          <h2>{title}</h2>
          {faults.length > 0 && (
            <ul class="faults">
              {faults.map(({ line, key, what, example }) => (
                <li key={`${line} ${key} ${what}`}>
                  <p>
                    <b>
                      Line {line}, {key}:
                    </b>{" "}
                    {what}.
                  </p>
                  {example !== "" && <code>{example}</code>}
                </li>
              ))}
            </ul>
          )}
          {unused.map(({ table, instead }) => (
            <p class="muted small" key={table}>
              Until [{table}] is right, {holds(instead)}.
            </p>
          ))}
        </section>
      )}
      {notices.length > 0 && (
        <section class="notice" data-testid="card-notices">
          <h2>Noticed at the start</h2>
          <ul class="faults">
            {notices.map((notice) => (
              <li key={notice}>{notice}</li>
            ))}
          </ul>
        </section>
      )}
    </>
  );
}

function holds(instead: UnusedTable["instead"]): string {
  switch (instead) {
    case "kept":
      return "the settings from before hold for it";
    case "default":
      return "the defaults hold for it";
    case "off":
      return "the car cannot be armed";
    default:
      return `other settings hold for it (${instead})`;
  }
}

function cardTitle({ file, faults }: Provision): string | null {
  switch (file) {
    case "good":
      return null;
    case "faulty":
      return faults.length === 1
        ? "A mistake in provision.toml"
        : `${faults.length} mistakes in provision.toml`;
    case "missing":
      return "The card has no provision.toml";
    case "unreadable":
      return "The card's provision.toml cannot be read";
    default:
      return `The card's provision.toml: ${file}`;
  }
}

function About({ status }: { status: CarStatus }) {
  const host = status.host;
  return (
    <dl class="about muted small">
      <dt>Host</dt>
      <dd data-testid="host-state">
        {host === null ? "None. This page is the only way to drive" : hostWords(host)}
      </dd>
      {status.provision !== null && (
        <>
          <dt>This page</dt>
          <dd>http://{status.provision.host_name}.local</dd>
        </>
      )}
      <dt>Car</dt>
      <dd class="id">{status.car}</dd>
    </dl>
  );
}

function hostWords({ url, state, text }: HostStatus): string {
  switch (state) {
    case "registered":
      return `Registered with ${url}`;
    case "unclaimed":
      return `Waits to be claimed at ${url}`;
    case "refused":
      return `${url} refuses it: ${text ?? "no reason given"}`;
    case "connecting":
      return text === null ? `Connecting to ${url}` : `Cannot reach ${url}: ${text}. Trying again`;
    default:
      return text === null ? `${url}: ${state}` : `${url}: ${state}, ${text}`;
  }
}
