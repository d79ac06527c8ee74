/** A QR code (ISO/IEC 18004), which a phone's camera reads. */

import { encode } from "uqr";

interface Props {
  readonly text: string;
  /** What it leads to, for those who do not see it. */
  readonly label: string;
  readonly testid: string;
}

export function Qr({ text, label, testid }: Props) {
  // The standard asks for four modules of quiet around it.
  const { size, data } = encode(text, { ecc: "M", border: 4 });
  return (
    <svg
      class="qr"
      role="img"
      aria-label={label}
      data-testid={testid}
      data-text={text}
      viewBox={`0 0 ${size} ${size}`}
      shape-rendering="crispEdges"
    >
      <path d={modules(data)} />
    </svg>
  );
}

/** A path of the dark modules, a row at a time. */
export function modules(data: readonly (readonly boolean[])[]): string {
  return data
    .map((row, y) => row.map((dark, x) => (dark ? `M${x} ${y}h1v1h-1z` : "")).join(""))
    .join("");
}
