/**
 * Words of lists that may grow, as in `crates/words/protocol/src/word.rs`: an unknown word is kept.
 */

import { anyString, bad, type Read } from "./json";

declare const unknown: unique symbol;
/** A word that this version does not know. */
export type OtherWord = string & { readonly [unknown]: true };
/** A known word, or one from a later version. */
export type Open<T extends string> = T | OtherWord;

const WORD = /^[a-z][a-z0-9-]{0,31}$/u;

/** Reads a word of a list that may grow. */
export function word<T extends string>(known: readonly T[]): Read<Open<T>> {
  return (value, field) => {
    const text = anyString(value, field);
    if (!WORD.test(text)) throw bad(field, "is no word");
    return known.find((name) => name === text) ?? (text as OtherWord);
  };
}

export function isKnown<T extends string>(known: readonly T[], word: Open<T>): word is T {
  return (known as readonly string[]).includes(word);
}

/** The word of a number in a binary frame: the index is the number. */
export function wordOf<T extends string>(known: readonly T[], number: number): Open<T> {
  return known[number] ?? (`other-${number}` as OtherWord);
}

/**
 * The number of a word in a frame of version 1, which has only the first `inV1` words and sends
 * `instead` for all others.
 */
export function numberInV1<T extends string>(
  known: readonly T[],
  word: Open<T>,
  inV1: number,
  instead: T,
): number {
  const number = numberOf(known, word);
  return number < inV1 ? number : numberOf(known, instead);
}

/** The number of a word; 255 for one that has none. */
export function numberOf<T extends string>(known: readonly T[], word: Open<T>): number {
  const at = (known as readonly string[]).indexOf(word);
  if (at >= 0) return at;
  const number = /^other-(0|[1-9]\d{0,2})$/u.exec(word)?.[1];
  // `other-3` must not stand for a number that has a word.
  return number === undefined || Number(number) < known.length
    ? 255
    : Math.min(Number(number), 255);
}
