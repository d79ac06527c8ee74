import { describe, expect, it } from "vitest";
import { de } from "../../words/de";
import { en } from "../../words/en";
import { keyWords } from "./controls";

describe("the name of a key", () => {
  it.each([
    ["KeyW", "W", "W"],
    ["Digit1", "1", "1"],
    ["ArrowLeft", "←", "←"],
    ["Space", "Space", "Leertaste"],
    ["ShiftRight", "Right Shift", "Umschalt rechts"],
    ["Numpad0", "Numpad 0", "Ziffernblock 0"],
    ["NumpadEnter", "Numpad Enter", "Ziffernblock Eingabe"],
    ["BracketLeft", "Left Bracket", "Bracket links"],
    // A key whose name is that of a function in the catalogue, or of an object.
    ["left", "left", "left"],
    ["constructor", "constructor", "constructor"],
  ])("%s is %s in English and %s in German", (place, english, german) => {
    expect(keyWords(place, en.help.keys)).toBe(english);
    expect(keyWords(place, de.help.keys)).toBe(german);
  });
});
