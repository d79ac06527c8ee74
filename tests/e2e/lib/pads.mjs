// Gamepads that a story invents.

/** Runs in the page before its own code: `globalThis.pads` is the browser's list of gamepads. */
export function fakePads() {
  globalThis.pads = [];
  const copy = (pad, tremor) => ({
    ...pad,
    timestamp: performance.now(),
    axes: pad.axes.map((axis) => axis + (pad.steady ? 0 : tremor)),
    buttons: [...pad.buttons],
  });
  navigator.getGamepads = () => {
    // A real stick is never still to the last bit.
    const tremor = (Math.random() - 0.5) * 1e-3;
    return globalThis.pads.map((pad) => pad && copy(pad, tremor));
  };
  const button = (value) => ({ value, pressed: value > 0.1, touched: value > 0 });
  globalThis.plugPad = (
    index,
    { id = `Pad ${index}`, mapping = 'standard', axes = [0, 0, 0, 0], steady = false } = {},
  ) => {
    globalThis.pads[index] = {
      id,
      index,
      connected: true,
      mapping,
      axes,
      steady,
      buttons: Array.from({ length: 17 }, () => button(0)),
    };
    window.dispatchEvent(
      Object.assign(new Event('gamepadconnected'), { gamepad: globalThis.pads[index] }),
    );
  };
  globalThis.pressPad = (index, of, value) => (globalThis.pads[index].buttons[of] = button(value));
}
