/** Tells when this device's network has changed. */

/** What few browsers have: the Network Information API. */
interface NetworkInformation extends EventTarget {
  readonly type?: string | undefined;
}

/**
 * Calls `changed` when the device is online again, and when it moves from one kind of network to
 * another.
 */
export function watchNetwork(
  changed: () => void,
  target: EventTarget = window,
  information: NetworkInformation | null = (navigator as { connection?: NetworkInformation })
    .connection ?? null,
): void {
  target.addEventListener("online", changed);
  let last = information?.type;
  // It also tells of estimates of the speed, which say nothing about the path.
  information?.addEventListener("change", () => {
    const { type } = information;
    const moved =
      type !== last &&
      type !== undefined &&
      type !== "none" &&
      last !== undefined &&
      last !== "none";
    last = type;
    if (moved) changed();
  });
}
