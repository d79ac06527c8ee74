import jsQR from "jsqr";
import { encode } from "uqr";
import { describe, expect, it } from "vitest";
import { modules } from "./qr";

/** What a phone's camera sees: each module as 4 × 4 points, dark where the path says so. */
function read(text: string): string | undefined {
  const { size, data } = encode(text, { ecc: "M", border: 4 });
  const scale = 4;
  const side = size * scale;
  const points = new Uint8ClampedArray(side * side * 4).fill(255);
  for (const [, x, y] of modules(data).matchAll(/M(\d+) (\d+)h1v1h-1z/gu)) {
    for (let at = 0; at < scale * scale; at += 1) {
      const [px, py] = [Number(x) * scale + (at % scale), Number(y) * scale + ((at / scale) | 0)];
      points.fill(0, (py * side + px) * 4, (py * side + px) * 4 + 3);
    }
  }
  return jsQR(points, side, side)?.data;
}

describe("QR codes", () => {
  it.each([
    "https://drive.example/#/claim?code=K7QP-2VXH",
    "http://192.168.1.20:8080/#/claim",
    "http://[2001:db8:1234:5678:9abc:def0:1234:5678]:8080/#/claim?code=K7QP-2VXH",
    `https://${"long-".repeat(40)}.example/#/claim?code=0000-0000`,
  ])("%s is read as it was written", (text) => expect(read(text)).toBe(text));
});
