// What a page must be for people who see, hear or move differently, checked in the browser.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

const axeSource = readFileSync(createRequire(import.meta.url).resolve('axe-core'), 'utf8');

const TAGS = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];

/** What axe finds, one line each. `enhanced`: text has 7:1, too (WCAG 2, 1.4.6). */
export async function axe(page, { enhanced = false } = {}) {
  await page.evaluate(`globalThis.axe ?? (() => { ${axeSource} })()`);
  return page.evaluate(
    async ({ tags, enhanced }) => {
      const { violations } = await globalThis.axe.run(document, {
        runOnly: { type: 'tag', values: tags },
        rules: { 'color-contrast-enhanced': { enabled: enhanced } },
        resultTypes: ['violations'],
      });
      return violations.flatMap(({ id, nodes }) =>
        nodes.map(
          ({ target, failureSummary }) => `${id}: ${target} ${failureSummary.split('\n')[1] ?? ''}`,
        ),
      );
    },
    { tags: TAGS, enhanced },
  );
}

/** Text below 12 px, and targets below 24 px (WCAG 2, 2.5.8) that are no links within a text. */
export function small(page) {
  return page.evaluate(() => {
    const seen = (element) => {
      const { width, height } = element.getBoundingClientRect();
      return element.checkVisibility({ visibilityProperty: true }) && width > 1 && height > 1;
    };
    const texts = [...document.querySelectorAll('body *')]
      .filter((e) => seen(e) && [...e.childNodes].some((n) => n.nodeType === 3 && n.data.trim()))
      .filter((e) => parseFloat(getComputedStyle(e).fontSize) < 12)
      .map((e) => `${e.className || e.tagName}: ${getComputedStyle(e).fontSize}`);
    const targets = [...document.querySelectorAll('button, a[href], input, select, summary')]
      .filter((e) => seen(e) && !e.closest('p, dd'))
      .map((e) => [e.closest('label') ?? e, e.getAttribute('aria-label') ?? e.textContent])
      .filter(([e]) => {
        const { width, height } = e.getBoundingClientRect();
        return width < 24 || height < 24;
      })
      .map(([e, name]) => `${e.tagName} ${name}`);
    return [...texts, ...targets];
  });
}

/**
 * Texts with too little contrast against what lies behind them. Behind the cockpit is a picture,
 * which may be black or white: the worse counts. `least`: of text, `ofLarge` of large text.
 */
export function faint(page, { least, ofLarge = least }) {
  return page.evaluate(
    ({ least, ofLarge }) => {
      const canvas = new OffscreenCanvas(1, 1);
      const context = canvas.getContext('2d', { willReadFrequently: true });
      const read = new Map();
      const rgba = (colour) => {
        if (!read.has(colour)) {
          context.clearRect(0, 0, 1, 1);
          context.fillStyle = colour;
          context.fillRect(0, 0, 1, 1);
          const [r, g, b, a] = context.getImageData(0, 0, 1, 1).data;
          read.set(colour, [r, g, b, a / 255]);
        }
        return read.get(colour);
      };
      const over = ([r, g, b, a], behind) =>
        [r, g, b].map((part, at) => part * a + behind[at] * (1 - a));
      const light = (colour) => {
        const [r, g, b] = colour
          .map((part) => part / 255)
          .map((part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4));
        return 0.2126 * r + 0.7152 * g + 0.0722 * b;
      };
      const ratio = (a, b) => {
        const [low, high] = [light(a), light(b)].sort((x, y) => x - y);
        return (high + 0.05) / (low + 0.05);
      };
      const found = [];
      for (const element of document.querySelectorAll('.cockpit *')) {
        const text = [...element.childNodes].find((n) => n.nodeType === 3 && n.data.trim());
        const { width } = element.getBoundingClientRect();
        if (!text || width <= 1 || !element.checkVisibility()) continue;
        if (element.closest(':disabled, .visually-hidden, svg')) continue;
        const style = getComputedStyle(element);
        const chain = [];
        for (let e = element; e && !e.classList.contains('cockpit'); e = e.parentElement)
          chain.unshift(e);
        const worst = [
          [0, 0, 0],
          [255, 255, 255],
        ].map((picture) => {
          let behind = picture;
          let opacity = 1;
          for (const e of chain) {
            const own = getComputedStyle(e);
            opacity *= Number(own.opacity);
            const [r, g, b, a] = rgba(own.backgroundColor);
            behind = over([r, g, b, a * opacity], behind);
          }
          const [r, g, b, a] = rgba(style.color);
          return ratio(over([r, g, b, a * opacity], behind), behind);
        });
        const size = parseFloat(style.fontSize);
        const large = size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700);
        const has = Math.min(...worst);
        if (has < (large ? ofLarge : least))
          found.push(`${has.toFixed(1)}:1 ${element.className || element.tagName} ${text.data}`);
      }
      return found;
    },
    { least, ofLarge },
  );
}

/**
 * What covers something else, sticks out of its frame or lies off the screen. `scrolls`: the screen
 * is so small that what is below may be reached by scrolling.
 */
export function crowded(page, { scrolls = false } = {}) {
  return page.evaluate((scrolls) => {
    const parts = [
      ...document.querySelectorAll(
        '.cockpit-name > *, .state, .metrics, .rungs, .cockpit-tools .button, .dock .instruments, ' +
          '.dock-buttons > *, .stick-base, .banner',
      ),
    ].filter((e) => e.checkVisibility() && e.getBoundingClientRect().width > 1);
    const name = (e) => e.getAttribute('aria-label') ?? e.dataset.testid ?? e.className;
    const found = [];
    const boxes = parts.map((e) => [e, e.getBoundingClientRect()]);
    for (const [index, [one, a]] of boxes.entries()) {
      if (a.left < -1 || a.right > innerWidth + 1) found.push(`${name(one)} is beside the screen`);
      if (!scrolls && (a.top < -1 || a.bottom > innerHeight + 1))
        found.push(`${name(one)} is off the screen`);
      for (const [other, b] of boxes.slice(index + 1)) {
        if ([one, other].some((e) => e.classList.contains('blocking'))) continue;
        const covers =
          Math.min(a.right, b.right) - Math.max(a.left, b.left) > 1 &&
          Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top) > 1;
        if (covers) found.push(`${name(one)} covers ${name(other)}`);
      }
    }
    const frames = '.metric, .state, .rungs, .bar, .speed, .arm, .brake, .banner, .gear';
    for (const frame of document.querySelectorAll(frames)) {
      const box = frame.getBoundingClientRect();
      const words = document.createTreeWalker(frame, NodeFilter.SHOW_TEXT);
      while (words.nextNode()) {
        const element = words.currentNode.parentElement;
        if (!element.checkVisibility() || element.getBoundingClientRect().width <= 1) continue;
        const range = document.createRange();
        range.selectNodeContents(words.currentNode);
        const { left, right } = range.getBoundingClientRect();
        if (right > left && (left < box.left - 1 || right > box.right + 1))
          found.push(`“${words.currentNode.data}” sticks out of ${frame.className}`);
      }
    }
    const speed = document.querySelector('.speed')?.getBoundingClientRect();
    for (const bar of document.querySelectorAll('.dock .bar')) {
      const { left, right, width } = bar.getBoundingClientRect();
      if (width < 40) found.push(`a bar of ${Math.round(width)} px`);
      if (speed && left < speed.right - 1 && right > speed.left + 1)
        found.push('a bar under the speed');
    }
    return [...new Set(found)];
  }, scrolls);
}

/** How far a page is wider than its window, in px. */
export function tooWide(page) {
  return page.evaluate(() => Math.max(0, document.documentElement.scrollWidth - innerWidth));
}
