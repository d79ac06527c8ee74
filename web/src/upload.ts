/** Sends a bundle to the host and reports progress, which `fetch` cannot do. */

import { ApiError, json, refusal } from "./core/app/http";
import { release, type Release } from "./protocol/release";

export interface UploadWish {
  readonly channel: string;
  readonly rollout: number;
  readonly notes: string;
}

export interface Upload {
  /** Rejects with an `ApiError`; its status is 0 if no answer came. */
  readonly done: Promise<Release>;
  cancel(): void;
}

/** `progress` gets the number of bytes that were sent so far. */
export function upload(
  bundle: Blob,
  wish: UploadWish,
  progress: (bytes: number) => void,
  request = new XMLHttpRequest(),
): Upload {
  const query = new URLSearchParams({ channel: wish.channel, rollout: String(wish.rollout) });
  if (wish.notes.trim() !== "") query.set("notes", wish.notes);
  const done = new Promise<Release>((resolve, reject) => {
    const broken = (why: string) => () => reject(new ApiError(0, "unreachable", why));
    request.upload.onprogress = ({ loaded }) => progress(loaded);
    request.onerror = broken("lost");
    request.onabort = broken("cancelled");
    request.onload = () => {
      const answer = json(request.responseText);
      if (request.status !== 201) {
        reject(refusal(request.status, answer));
        return;
      }
      try {
        resolve(release(answer, ""));
      } catch (error) {
        reject(
          new ApiError(request.status, "malformed", `the answer cannot be read: ${String(error)}`),
        );
      }
    };
  });
  request.open("POST", `/api/v1/releases?${query.toString()}`);
  request.setRequestHeader("content-type", "application/octet-stream");
  request.send(bundle);
  return { done, cancel: () => request.abort() };
}
