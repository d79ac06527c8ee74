/**
 * A car's status on its own page: its claim code, its host, and what is wrong with its card.
 */

import { useEffect } from "preact/hooks";
import type { App } from "../app/app";
import type { CarStatus, HostStatus, Provision, UnusedTable } from "../core/app/http";
import { formatRoute } from "../core/app/route";
import { Qr } from "./qr";
import { Rich } from "./rich";
import { t } from "../words/words";

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
      <h2>{t().status.unowned}</h2>
      <p class="claim-code" data-testid="claim-code">
        {code}
      </p>
      <p class="muted small">
        <Rich
          text={t().status.claimAt}
          slots={{
            server: host === null ? t().status.itsServer : <a href={host.url}>{host.url}</a>,
          }}
        />
      </p>
      {host !== null && (
        <>
          <p class="muted small">{t().status.scan}</p>
          <Qr
            text={`${host.url}/${formatRoute({ page: "claim", code })}`}
            label={t().status.qr(host.url)}
            testid="claim-qr"
          />
        </>
      )}
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
                    <b>{t().status.line(line, key)}</b> <span lang="en">{what}.</span>
                  </p>
                  {example !== "" && <code>{example}</code>}
                </li>
              ))}
            </ul>
          )}
          {unused.map(({ table, instead }) => (
            <p class="muted small" key={table}>
              {t().status.until(table, holds(instead))}
            </p>
          ))}
        </section>
      )}
      {notices.length > 0 && (
        <section class="notice" data-testid="card-notices">
          <h2>{t().status.noticed}</h2>
          <ul class="faults">
            {notices.map((notice) => (
              <li key={notice} lang="en">
                {notice}
              </li>
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
      return t().status.kept;
    case "default":
      return t().status.defaults;
    case "off":
      return t().status.off;
    default:
      return t().status.otherSettings(instead);
  }
}

function cardTitle({ file, faults }: Provision): string | null {
  switch (file) {
    case "good":
      return null;
    case "faulty":
      return t().status.mistakes(faults.length);
    case "missing":
      return t().status.missing;
    case "unreadable":
      return t().status.unreadable;
    default:
      return t().status.otherFile(file);
  }
}

function About({ status }: { status: CarStatus }) {
  const host = status.host;
  return (
    <dl class="about muted small">
      <dt>{t().status.server}</dt>
      <dd data-testid="host-state">{host === null ? t().status.none : hostWords(host)}</dd>
      {status.provision !== null && (
        <>
          <dt>{t().status.thisPage}</dt>
          <dd>http://{status.provision.host_name}.local</dd>
        </>
      )}
      <dt>{t().status.car}</dt>
      <dd class="id">{status.car}</dd>
    </dl>
  );
}

function hostWords({ url, state, text }: HostStatus): string {
  const words = t().status;
  switch (state) {
    case "registered":
      return words.registered(url);
    case "unclaimed":
      return words.unclaimed(url);
    case "refused":
      return words.refused(url, text ?? words.noReason);
    case "connecting":
      return text === null ? words.connecting(url) : words.cannotReach(url, text);
    default:
      return words.other(url, state, text);
  }
}
