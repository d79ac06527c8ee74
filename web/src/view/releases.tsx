/** The releases that the host offers to cars. */

import { useEffect, useRef } from "preact/hooks";
import type { ServerInfo } from "../core/app/http";
import type { App } from "../app/app";
import { AddRelease } from "./add-release";
import { ThemeSwitch } from "./display";
import { UploadIcon } from "./icons";
import { ReleaseCard } from "./release-card";
import { Top } from "./top";
import { t } from "../words/words";

/**
 * How often the visible page fetches the list: the command line and other people change it, too.
 */
const REFRESH_MS = 10_000;

export function ReleasesPage({ app, server }: { app: App; server: ServerInfo }) {
  const { releases } = app;
  const form = useRef<HTMLDivElement>(null);
  useEffect(() => {
    void releases.refresh();
    const timer = setInterval(
      () => document.visibilityState === "visible" && void releases.refresh(),
      REFRESH_MS,
    );
    return () => clearInterval(timer);
  }, [releases]);
  const list = releases.list.value;
  const trouble = releases.trouble.value;
  return (
    <div class="page">
      <Top app={app} server={server} here="releases" />
      <main class="content">
        <div class="headline">
          <h1>{t().pages.releases}</h1>
          <p class="muted">{t().releases.intro}</p>
          <button
            type="button"
            class="button jump"
            onClick={() => form.current?.scrollIntoView({ behavior: "smooth" })}
          >
            <UploadIcon />
            {t().releases.add}
          </button>
        </div>
        {trouble !== null && (
          <p class="trouble note" role="alert">
            {trouble}
          </p>
        )}
        <div class="releases">
          <ul class="release-list" data-testid="release-list" aria-busy={list === null}>
            {list?.releases.map((release) => (
              <ReleaseCard key={release.version} release={release} releases={releases} />
            ))}
            {list?.releases.length === 0 && (
              <li class="release none muted">{t().releases.nothing}</li>
            )}
            {list === null && trouble === null && <li class="release skeleton" />}
          </ul>
          <div ref={form}>
            <AddRelease releases={releases} />
          </div>
        </div>
      </main>
      <footer class="foot muted">
        <span>{server.software}</span>
        <span>rccar-web/{__VERSION__}</span>
        <ThemeSwitch />
      </footer>
    </div>
  );
}
