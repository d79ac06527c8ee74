/**
 * Grease, as in `crates/words/protocol/src/grease.rs`: fields, messages and groups that only a
 * later version could send. Off, unless a test turns it on before the page starts.
 */

/** First kind of group that no version will give a meaning to. */
export const FIRST_GREASED_KIND = 224;

let on = false;
let count = 0;

/** From now on this page talks like a later version. */
export function enableGrease(): void {
  on = true;
}

/** Adds a field to a message. */
export function greaseMessage(message: object): object {
  if (!on) return message;
  count += 1;
  return { ...message, [`grease-${count % 16}`]: [null, { type: "bye" }, count] };
}

/** A message of a later version, to be sent now and then; `null` unless grease is on. */
export function greasedMessage(): string | null {
  if (!on) return null;
  count += 1;
  return JSON.stringify({ type: `grease-${count % 4096}`, words: ["grease", count] });
}

/** Adds a group and a flag to a frame of version 2. */
export function greaseFrame(frame: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  if (!on) return frame;
  count += 1;
  const contents = new Uint8Array(count % 20).fill(count);
  const greased = Uint8Array.of(
    ...frame,
    FIRST_GREASED_KIND + (count % 32),
    contents.length,
    ...contents,
  );
  greased[3] = (greased[3] ?? 0) | 0x80;
  return greased;
}
