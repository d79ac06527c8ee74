/** The releases of the host: the list, changes to it, and one upload at a time. */

import { batch, signal } from "@preact/signals";
import type { Api } from "../api";
import { ApiError, type ReleaseChange } from "../core/app/http";
import type { Release, ReleaseList } from "../protocol/release";
import { upload, type Upload, type UploadWish } from "../upload";
import { apiWords } from "../core/app/messages";
import { size } from "../core/app/updates";
import { t } from "../words/words";

export type UploadState =
  | { readonly phase: "idle" }
  | {
      readonly phase: "sending";
      readonly name: string;
      readonly sent: number;
      readonly total: number;
    }
  /** The host has the whole bundle, and checks signature and content. */
  | { readonly phase: "checking"; readonly name: string }
  | { readonly phase: "taken"; readonly release: Release }
  | { readonly phase: "refused"; readonly name: string; readonly why: string };

export class Releases {
  /** `null` until the host has sent it. */
  readonly list = signal<ReleaseList | null>(null);
  /** Why the last request failed. */
  readonly trouble = signal<string | null>(null);
  readonly uploading = signal<UploadState>({ phase: "idle" });

  readonly #api: Api;
  readonly #handleSignedOut: () => void;
  readonly #upload: typeof upload;
  #running: Upload | null = null;

  constructor(api: Api, handleSignedOut: () => void, send = upload) {
    this.#api = api;
    this.#handleSignedOut = handleSignedOut;
    this.#upload = send;
  }

  async refresh(): Promise<void> {
    await this.#try(async () => {
      const list = await this.#api.releases();
      batch(() => {
        this.list.value = list;
        this.trouble.value = null;
      });
    });
  }

  async change(version: string, change: ReleaseChange): Promise<void> {
    await this.#try(async () => {
      const changed = await this.#api.changeRelease(version, change);
      const replaced = (one: Release) => (one.version === version ? changed : one);
      batch(() => {
        this.#edit((releases) => releases.map(replaced));
        this.trouble.value = null;
      });
    });
  }

  async remove(version: string): Promise<void> {
    await this.#try(async () => {
      await this.#api.removeRelease(version);
      batch(() => {
        this.#edit((releases) => releases.filter((release) => release.version !== version));
        this.trouble.value = null;
      });
    });
  }

  /** Sends a bundle, unless another is on its way; the outcome is in `uploading`. */
  async add(bundle: File, wish: UploadWish): Promise<void> {
    if (this.#running) return;
    const { name, size: total } = bundle;
    const refused = (why: string) => (this.uploading.value = { phase: "refused", name, why });
    const most = this.list.peek()?.max_bytes ?? Infinity;
    if (total > most) {
      // The host would refuse it, too, but only after all bytes were sent.
      refused(t().releases.tooLarge(size(total), size(most)));
      return;
    }
    this.uploading.value = { phase: "sending", name, sent: 0, total };
    this.#running = this.#upload(bundle, wish, (sent) => {
      this.uploading.value =
        sent < total ? { phase: "sending", name, sent, total } : { phase: "checking", name };
    });
    try {
      this.uploading.value = { phase: "taken", release: await this.#running.done };
    } catch (error) {
      if (error instanceof ApiError && error.text === "cancelled")
        this.uploading.value = { phase: "idle" };
      else refused(this.#words(error));
    }
    this.#running = null;
    await this.refresh();
  }

  cancel(): void {
    this.#running?.cancel();
  }

  /** The person has read the outcome. */
  dismiss(): void {
    if (!this.#running) this.uploading.value = { phase: "idle" };
  }

  async #try(request: () => Promise<void>): Promise<void> {
    try {
      await request();
    } catch (error) {
      this.trouble.value = this.#words(error);
    }
  }

  #edit(change: (releases: readonly Release[]) => Release[]): void {
    const list = this.list.peek();
    if (list) this.list.value = { ...list, releases: change(list.releases) };
  }

  #words(error: unknown): string {
    if (!(error instanceof ApiError)) return String(error);
    if (error.status === 401) this.#handleSignedOut();
    return apiWords("other", error.status, error.code, error.text);
  }
}
