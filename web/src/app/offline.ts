/** Lets the browser show a page of ours while nothing answers. */

import { effect } from "@preact/signals";
import { spoken } from "../words/words";

/** Browsers have service workers only on HTTPS and on this very machine. */
export function watchOffline(): void {
  const workers = navigator.serviceWorker as ServiceWorkerContainer | undefined;
  // A page in development has no such file.
  if (workers === undefined || import.meta.env.DEV) return;
  // Another language is another worker.
  effect(() => {
    // Whatever the browser keeps, it asks the host whether there is another worker.
    workers
      .register(`sw.js?${spoken()}`, { updateViaCache: "none" })
      .catch((error: unknown) => console.warn("rccar: offline page:", String(error)));
  });
}
