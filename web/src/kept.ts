/** What the browser keeps for this page. It may refuse to, for instance in a private window. */

/** `null` if it keeps nothing at this place. */
export function kept(place: string): string | null {
  try {
    return localStorage.getItem(place);
  } catch {
    return null;
  }
}

/** Returns whether the browser has kept it. */
export function keep(place: string, text: string): boolean {
  try {
    localStorage.setItem(place, text);
    return true;
  } catch {
    return false;
  }
}
