// Reads the time code of crates/cores/sim/src/timecode.rs from the video on the page. The functions
// run inside the page.

/** Starts measuring every presented frame; `stopMeasuring` returns the measurements. */
export function startMeasuring() {
  const video = document.querySelector('video');
  const [COLUMNS, ROWS, BITS] = [16, 5, 80];
  const cell = Math.floor(video.videoWidth / 40);
  const [width, height] = [18 * cell, 7 * cell];
  const canvas = new OffscreenCanvas(width, height);
  const context = canvas.getContext('2d', { willReadFrequently: true });
  const seen = { frames: [], unreadable: 0 };

  const meanOfCell = (pixels, column, row) => {
    const margin = Math.floor(cell / 4);
    let [sum, count] = [0, 0];
    for (let y = (1 + row) * cell + margin; y < (2 + row) * cell - margin; y += 1) {
      for (let x = (1 + column) * cell + margin; x < (2 + column) * cell - margin; x += 1) {
        sum += pixels[(y * width + x) * 4 + 1];
        count += 1;
      }
    }
    return sum / count;
  };

  const crc8 = (bytes) => {
    let crc = 0;
    for (const byte of bytes) {
      crc ^= byte;
      for (let bit = 0; bit < 8; bit += 1)
        crc = crc & 0x80 ? ((crc << 1) ^ 0x07) & 0xff : (crc << 1) & 0xff;
    }
    return crc;
  };

  /** Capture time in ms since 1970, or null. */
  const read = () => {
    context.drawImage(video, 0, 0, width, height, 0, 0, width, height);
    const pixels = context.getImageData(0, 0, width, height).data;
    const means = Array.from({ length: BITS }, (_, bit) =>
      meanOfCell(pixels, bit % COLUMNS, Math.floor(bit / COLUMNS)),
    );
    const sync = [0xa5, 0x5a].flatMap((byte, end) =>
      Array.from({ length: 8 }, (_, bit) => ({
        one: (byte >> (7 - bit)) & 1,
        mean: means[end * (BITS - 8) + bit],
      })),
    );
    const level = (one) =>
      sync.filter((s) => s.one === one).reduce((sum, s) => sum + s.mean, 0) / 8;
    if (level(1) - level(0) < 110) return null;
    const threshold = (level(1) + level(0)) / 2;
    const bytes = Array.from({ length: BITS / 8 }, (_, i) =>
      means
        .slice(i * 8, i * 8 + 8)
        .reduce((byte, mean) => (byte << 1) | (mean > threshold ? 1 : 0), 0),
    );
    if (bytes[0] !== 0xa5 || bytes[9] !== 0x5a || crc8(bytes.slice(1, 8)) !== bytes[8]) return null;
    return bytes.slice(1, 7).reduce((value, byte) => value * 256 + byte, 0) / 10;
  };

  const onFrame = (now, metadata) => {
    video.requestVideoFrameCallback(onFrame);
    const calledAt = performance.timeOrigin + performance.now();
    const captured = read();
    if (captured === null) {
      seen.unreadable += 1;
      return;
    }
    seen.frames.push({
      presented: performance.timeOrigin + metadata.presentationTime - captured,
      received:
        metadata.receiveTime === undefined
          ? null
          : performance.timeOrigin + metadata.receiveTime - captured,
      called: calledAt - captured,
    });
  };
  video.requestVideoFrameCallback(onFrame);
  globalThis.stopMeasuring = () => seen;
}

export const quantile = (values, q) => {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))];
};
