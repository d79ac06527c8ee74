// Draws wiring.svg: `node docs/wiring.mjs` writes it, `node docs/wiring.mjs --check` fails if the
// file is not what this script draws. Every wire is one line of `WIRES`.
import { readFileSync, writeFileSync } from 'node:fs';

const FILE = new URL('wiring.svg', import.meta.url);

/** Places in the picture: x and y of the upper left corner, width, pins from top down. */
const BOXES = {
  battery: { x: 30, y: 40, w: 150, title: 'Battery', note: '2S or 3S LiPo', pins: ['+', '−'] },
  converter: {
    x: 300,
    y: 40,
    w: 170,
    title: 'Converter',
    note: '5.1 V, 3 A (Pi 5: 5 A)',
    pins: ['in +', 'in −', 'USB-C'],
  },
  pi: {
    x: 610,
    y: 40,
    w: 210,
    title: 'Raspberry Pi',
    note: 'camera and modem on USB',
    pins: ['USB-C', '1 · 3.3 V', '3 · SDA', '5 · SCL', '6 · ground', '11 · GPIO17'],
  },
  pca: {
    x: 610,
    y: 330,
    w: 210,
    title: 'PCA9685 board',
    note: 'channel 0 steers, 1 drives',
    pins: ['VCC', 'SDA', 'SCL', 'GND', 'OE', 'V+', '0 · servo', '1 · signal'],
  },
  esc: {
    x: 270,
    y: 330,
    w: 190,
    title: 'ESC',
    note: 'with a 5 to 6 V BEC',
    pins: ['battery +', 'battery −', 'red · BEC', 'signal', 'black · ground'],
  },
  motor: { x: 30, y: 398, w: 130, title: 'Motor', note: '', pins: [''] },
  servo: { x: 270, y: 574, w: 190, title: 'Servo', note: 'one plug, three wires', pins: [''] },
};

const COLOURS = {
  plus: '#c62828',
  ground: '#222',
  signal: '#e07b00',
  bus: '#1565c0',
  motor: '#6d4c41',
};

/** From a pin to a pin by way of these x, in the colour of what it carries. */
const WIRES = [
  { from: ['battery', 0], to: ['converter', 0], via: [240], kind: 'plus', thick: true },
  { from: ['battery', 1], to: ['converter', 1], via: [220], kind: 'ground', thick: true },
  { from: ['battery', 0], to: ['esc', 0], via: [240], kind: 'plus', thick: true },
  { from: ['battery', 1], to: ['esc', 1], via: [220], kind: 'ground', thick: true },
  { from: ['converter', 2], to: ['pi', 0], via: [540], kind: 'plus', thick: true },
  { from: ['pi', 1], to: ['pca', 0], via: [860], kind: 'plus' },
  { from: ['pi', 2], to: ['pca', 1], via: [876], kind: 'bus' },
  { from: ['pi', 3], to: ['pca', 2], via: [892], kind: 'bus' },
  { from: ['pi', 4], to: ['pca', 3], via: [908], kind: 'ground' },
  { from: ['pi', 5], to: ['pca', 4], via: [924], kind: 'signal' },
  { from: ['esc', 2], to: ['pca', 5], via: [520], kind: 'plus' },
  { from: ['esc', 3], to: ['pca', 7], via: [500], kind: 'signal' },
  { from: ['esc', 4], to: ['pca', 3], via: [540], kind: 'ground' },
  { from: ['servo', 0], to: ['pca', 6], via: [560], kind: 'signal' },
  { from: ['motor', 0], to: ['esc', 3], via: [], kind: 'motor', thick: true },
];

const WIDTH = 960;
const HEIGHT = 690;
/** Of the first pin below the top of its box, and from one pin to the next. */
const FIRST = 56;
const STEP = 28;

const height = ({ pins }) => FIRST + pins.length * STEP - 8;

/** The side of a box that faces the wire's way. */
function pin([name, index], towards) {
  const box = BOXES[name];
  const y = box.y + FIRST + index * STEP;
  return { x: towards > box.x + box.w / 2 ? box.x + box.w : box.x, y };
}

function wire({ from, to, via, kind, thick }) {
  const turn = via[0] ?? BOXES[to[0]].x;
  const a = pin(from, turn);
  const b = via.length > 0 ? pin(to, turn) : { x: BOXES[to[0]].x, y: a.y };
  const points = [
    a,
    ...via.flatMap((x) => [
      { x, y: a.y },
      { x, y: b.y },
    ]),
    b,
  ];
  const path = points.map(({ x, y }) => `${x},${y}`).join(' ');
  const width = thick ? 5 : 2.5;
  const dots = [a, b].map(
    ({ x, y }) => `<circle cx="${x}" cy="${y}" r="${width + 1}" fill="${COLOURS[kind]}"/>`,
  );
  return `<polyline points="${path}" fill="none" stroke="${COLOURS[kind]}" stroke-width="${width}" stroke-linejoin="round"/>${dots.join('')}`;
}

function box(place) {
  const { x, y, w, title, note, pins } = place;
  const h = height(place);
  const lines = [
    `<rect x="${x}" y="${y}" width="${w}" height="${h}" rx="8" fill="#fff" stroke="#444" stroke-width="1.5"/>`,
    `<text x="${x + w / 2}" y="${y + 22}" class="title">${title}</text>`,
  ];
  if (note) lines.push(`<text x="${x + w / 2}" y="${y + 38}" class="note">${note}</text>`);
  pins.forEach((name, index) => {
    lines.push(
      `<text x="${x + w / 2}" y="${y + FIRST + index * STEP + 5}" class="pin">${name}</text>`,
    );
  });
  return lines.join('\n');
}

const NOTES = [
  [626, 292, '1 kΩ from OE to 3.3 V: it is off'],
  [626, 310, 'until a program switches it on'],
  [300, 215, 'Never the red wire of the ESC to the Pi'],
  [300, 233, 'or to VCC: it gives 5 V and more'],
];

const LEGEND = [
  ['plus', 'plus'],
  ['ground', 'ground'],
  ['bus', 'I²C'],
  ['signal', 'signal'],
  ['motor', 'motor'],
];

function legend([kind, words], index) {
  const x = 40 + index * 110;
  return `<line x1="${x}" y1="675" x2="${x + 30}" y2="675" stroke="${COLOURS[kind]}" stroke-width="4"/><text x="${x + 38}" y="680" class="legend">${words}</text>`;
}

const svg = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="Wiring of battery, converter, Raspberry Pi, PCA9685 board, ESC, motor and servo">
<!-- Made by wiring.mjs. -->
<style>text{font-family:sans-serif;fill:#222}.title{font-size:17px;font-weight:bold;text-anchor:middle}.note{font-size:12px;text-anchor:middle;fill:#555}.pin{font-size:13px;text-anchor:middle}.legend{font-size:14px}.warning{font-size:13px;font-weight:bold;fill:#b00}</style>
<rect width="${WIDTH}" height="${HEIGHT}" fill="#f6f6f4"/>
${Object.values(BOXES).map(box).join('\n')}
${WIRES.map(wire).join('\n')}
${NOTES.map(([x, y, words]) => `<text x="${x}" y="${y}" class="warning">${words}</text>`).join('\n')}
${LEGEND.map(legend).join('\n')}
</svg>
`;

if (process.argv[2] === '--check') {
  if (readFileSync(FILE, 'utf8') !== svg) {
    console.error('docs/wiring.svg is not what docs/wiring.mjs draws: run node docs/wiring.mjs');
    process.exit(1);
  }
} else {
  writeFileSync(FILE, svg);
}
