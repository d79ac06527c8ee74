/** Notices when this device's network has changed. */

/** The Network Information API, which only few browsers have. */
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
  // The event also comes for new estimates of the speed, which say nothing about the path.
  information?.addEventListener("change", () => {
    const { type } = information;
    // `none` is no network at all: the event `online` reports its end.
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
