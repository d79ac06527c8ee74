/** A still picture of a road as a stream, bright as at noon: words must be readable over it. */

export function road(): MediaStream {
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [1280, 720];
  const context = canvas.getContext("2d");
  const draw = () => {
    if (!context) return;
    context.fillStyle = "#bcd9f5";
    context.fillRect(0, 0, 1280, 300);
    context.fillStyle = "#8fae62";
    context.fillRect(0, 300, 1280, 420);
    const lane = (
      colour: string,
      top: readonly [number, number],
      low: readonly [number, number],
    ) => {
      context.fillStyle = colour;
      context.beginPath();
      context.moveTo(top[0], 300);
      context.lineTo(top[1], 300);
      context.lineTo(low[1], 720);
      context.lineTo(low[0], 720);
      context.fill();
    };
    lane("#9a9ea6", [600, 680], [-120, 1400]);
    lane("#f4f4f4", [606, 610], [-60, 0]);
    lane("#f4f4f4", [670, 674], [1280, 1340]);
    for (const [top, low] of [
      [320, 345],
      [380, 430],
      [500, 590],
    ] as const) {
      const half = (y: number) => (y - 290) / 40;
      context.beginPath();
      context.moveTo(640 - half(top), top);
      context.lineTo(640 + half(top), top);
      context.lineTo(640 + half(low), low);
      context.lineTo(640 - half(low), low);
      context.fill();
    }
  };
  draw();
  // A canvas gives a frame only when it is drawn.
  setInterval(draw, 200);
  return canvas.captureStream(10);
}
