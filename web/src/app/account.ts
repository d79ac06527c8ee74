/** A person's own account: the password, and the browsers that are signed in. */

import { signal } from "@preact/signals";
import type { Api } from "../api";
import { ApiError, type Account } from "../core/app/http";
import { apiWords } from "../core/app/messages";

export class OwnAccount {
  /** `null` until the host has answered. */
  readonly account = signal<Account | null>(null);
  readonly trouble = signal<string | null>(null);

  readonly #api: Api;
  readonly #signedOut: () => void;

  constructor(api: Api, signedOut: () => void) {
    this.#api = api;
    this.#signedOut = signedOut;
  }

  /** Forgets what it knows: somebody else may sign in. */
  forget(): void {
    this.account.value = null;
    this.trouble.value = null;
  }

  async refresh(): Promise<void> {
    this.trouble.value = await this.#ask(async () => {
      this.account.value = await this.#api.account();
    });
  }

  /** Returns a message for the person, `null` if it worked. */
  async changePassword(present: string, wanted: string): Promise<string | null> {
    const trouble = await this.#ask(() => this.#api.changePassword(present, wanted));
    if (trouble === null) await this.refresh();
    return trouble;
  }

  async endSignIn(id: string): Promise<void> {
    await this.#end(() => this.#api.endSignIn(id));
  }

  async endOtherSignIns(): Promise<void> {
    await this.#end(() => this.#api.endOtherSignIns());
  }

  async #end(request: () => Promise<void>): Promise<void> {
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
