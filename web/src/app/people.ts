/** The accounts of a host, for admins. */

import { signal } from "@preact/signals";
import type { Api } from "../api";
import { ApiError, type NewLink, type Person, type Role } from "../core/app/http";
import { apiWords } from "../core/app/messages";
import { formatRoute } from "../core/app/route";

/** A link for somebody, as it is passed on. */
export interface PassOn {
  readonly name: string;
  readonly url: string;
  /** Unix time in seconds. */
  readonly expiresAt: number;
}

export class People {
  /** `null` until the host has answered. */
  readonly list = signal<readonly Person[] | null>(null);
  /** Why the last request failed. */
  readonly trouble = signal<string | null>(null);
  /** The link that was made last. */
  readonly link = signal<PassOn | null>(null);

  readonly #api: Api;
  readonly #signedOut: () => void;

  constructor(api: Api, signedOut: () => void) {
    this.#api = api;
    this.#signedOut = signedOut;
  }

  /** Forgets what it knows: somebody else may sign in. */
  forget(): void {
    this.list.value = null;
    this.trouble.value = null;
    this.link.value = null;
  }

  async refresh(): Promise<void> {
    this.trouble.value = await this.#ask(() => this.#load());
  }

  /** Returns a message for the person, `null` if it worked. */
  async add(name: string, role: Role): Promise<string | null> {
    return await this.#ask(async () => {
      this.#show(name, await this.#api.addPerson(name, role));
      await this.#load();
    });
  }

  async setRole(name: string, role: Role): Promise<void> {
    await this.#change(() => this.#api.setRole(name, role));
  }

  async makeLink(name: string): Promise<void> {
    await this.#change(async () => this.#show(name, await this.#api.passwordLink(name)));
  }

  /** Returns a message for the person, `null` if it worked. */
  async remove(name: string, heir: string | null): Promise<string | null> {
    return await this.#ask(async () => {
      await this.#api.removePerson(name, heir);
      await this.#load();
    });
  }

  async #load(): Promise<void> {
    this.list.value = await this.#api.people();
  }

  #show(name: string, { token, expires_at }: NewLink): void {
    const url = `${location.origin}/${formatRoute({ page: "password", token })}`;
    this.link.value = { name, url, expiresAt: expires_at };
  }

  async #change(request: () => Promise<void>): Promise<void> {
    const trouble = await this.#ask(request);
    await this.refresh();
    this.trouble.value ??= trouble;
  }

  async #ask(request: () => Promise<void>): Promise<string | null> {
    try {
      await request();
      return null;
    } catch (error) {
      if (!(error instanceof ApiError)) return String(error);
      if (error.status === 401) this.#signedOut();
      return apiWords("other", error.status, error.code, error.text);
    }
  }
}
